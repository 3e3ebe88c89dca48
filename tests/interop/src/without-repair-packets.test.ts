// Nobody has to know repair packets (RFC 4588): what arrives is as it was sent, though not all of it does.
import { call } from "./call.ts";
import { withEachStack } from "./stacks.ts";

withEachStack("without repair packets what arrives is as it was sent", (stack) =>
  call(stack, { loss: 0.05, wish: { apart: true, withoutRepair: true, withoutTransportCc: true } }),
);
