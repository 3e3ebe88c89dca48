// An offer as its stack makes it by itself: to send and to receive on the same m-lines, under mids and ids of its own.
import { call } from "./call.ts";
import { withEachStack } from "./stacks.ts";

withEachStack("by a default offer frames arrive as they were sent", (stack) => call(stack));
