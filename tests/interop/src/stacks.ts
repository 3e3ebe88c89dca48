// The stacks that the tests go through, and what is run for each of them.
import { after, describe, it } from "node:test";
import { libdatachannel } from "./libdatachannel.ts";
import { stopNode } from "./node.ts";
import { pion } from "./pion.ts";
import type { Stack } from "./stack.ts";
import { werift } from "./werift.ts";

/** Where there is no Go, nobody names pion's program, and says so. */
const program = process.env.CONNECT_PION;

const STACKS: readonly Stack[] = [werift, libdatachannel, ...(program ? [pion(program)] : [])];

after(stopNode);

/** A test for each stack, all at once: they wait far more than they work. */
export function withEachStack(title: string, test: (stack: Stack) => Promise<void>): void {
  describe(title, { concurrency: true }, () => {
    for (const stack of STACKS) it(stack.name, () => test(stack));
  });
}
