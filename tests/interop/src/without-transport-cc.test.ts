// Nobody has to know transport-wide feedback.
import { call } from "./call.ts";
import { withEachStack } from "./stacks.ts";

withEachStack("without transport-cc each frame arrives as it was sent", (stack) =>
  call(stack, { wish: { withoutTransportCc: true } }),
);
