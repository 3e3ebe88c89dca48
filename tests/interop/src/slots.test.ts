// A foreign stack may do as our own clients do: send on some m-lines, and receive in slots of their own.
import { call } from "./call.ts";
import { withEachStack } from "./stacks.ts";

withEachStack("in slots of their own frames arrive as they were sent", (stack) =>
  call(stack, { wish: { apart: true } }),
);
