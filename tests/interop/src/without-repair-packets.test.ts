// Nobody has to know repair packets (RFC 4588): what is asked for again comes as it was.
import { call } from "./call.ts";
import { withEachStack } from "./stacks.ts";

withEachStack("without repair packets what is lost comes again", (stack) =>
  call(stack, { loss: 0.05, wish: { withoutRepair: true } }),
);
