// A Worker of its own for each test of a file, and the nodes that register there: they die with it.
import { afterEach, beforeEach } from "vitest";
import { FakeNode } from "./fake-node.ts";
import { World } from "./world.ts";

export let world: World;
let nodes: FakeNode[];

beforeEach(async () => {
  nodes = [];
  world = await World.start();
});
afterEach(async () => {
  for (const node of nodes) node.die();
  await world.stop();
});

export async function register(node: string, region: string, load?: object): Promise<FakeNode> {
  const registered = await FakeNode.register(world, node, region, load);
  nodes.push(registered);
  return registered;
}

/** An offer that no node of these tests reads. */
export const offer = (attempt: number) => ({ type: "offer", attempt, sdp: `v=0 ${attempt}`, sources: [] });
