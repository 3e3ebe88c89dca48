// Where one packet in twenty is lost both ways, frames that arrive are whole, and all arrive where the stack asks for what is lost.
import { call } from "./call.ts";
import { withEachStack } from "./stacks.ts";

withEachStack("with 5% loss what arrives is as it was sent", (stack) => call(stack, { loss: 0.05 }));
