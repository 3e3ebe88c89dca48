// The nodes' own keys: made of one of several of the fleet's, each good for one node alone.
import { afterAll, beforeAll, expect, test } from "vitest";
import { keyOf, LOAD, nodeToken, ownToken } from "./fake-node.ts";
import { Socket } from "./socket.ts";
import { FLEET_KEYS, World } from "./world.ts";

const [F1, F2] = FLEET_KEYS as [(typeof FLEET_KEYS)[number], (typeof FLEET_KEYS)[number]];
const soon = Math.floor(Date.now() / 1_000) + 3_600;
let world: World;
beforeAll(async () => {
  // Without the key that a whole fleet shares.
  world = await World.start({ CONNECT_NODE_KEY: "" });
});
afterAll(() => world.stop());

/** What a node is answered that would like a link, and may have one only where it says no more than that it wants to. */
const status = async (token: string) => (await world.call("/node/regions/eu-west", { token })).status;

test("each of the fleet's keys makes keys that are good", async () => {
  for (const fleet of [F1, F2]) {
    expect(await status(ownToken("eu-1", "eu-west", keyOf("eu-1", "eu-west", fleet)))).toBe(426);
    expect(await status(ownToken("eu-1", "eu-west", keyOf("eu-1", "eu-west", fleet, soon)))).toBe(426);
  }
});

test("one node's key speaks for no other node, no other region and no longer time", async () => {
  const key = keyOf("eu-1", "eu-west", F1, soon);
  expect(await status(ownToken("eu-1", "eu-west", key))).toBe(426);
  expect(await status(ownToken("eu-2", "eu-west", key))).toBe(401);
  expect(await status(ownToken("eu-1", "us-east", key))).toBe(401);
  expect(await status(ownToken("eu-1", "eu-west", { ...key, until: soon + 1 }))).toBe(401);
  expect(await status(ownToken("eu-1", "eu-west", { ...key, until: 0 }))).toBe(401);
  expect(await status(ownToken("eu-1", "eu-west", { ...key, kid: "f2" }))).toBe(401);
  expect(await status(ownToken("eu-1", "eu-west", { ...key, kid: "f3" }))).toBe(401);
  // The fleet's key is no node's, and without its name there is none.
  expect(await status(ownToken("eu-1", "eu-west", { kid: "f1", key: F1.key, until: 0 }))).toBe(401);
  expect(await status(nodeToken("eu-1", "eu-west", {}, F1.key))).toBe(401);
  expect(await status(nodeToken("eu-1", "eu-west", {}, ""))).toBe(401);
});

test("a key that has ended is good no more", async () => {
  const past = Math.floor(Date.now() / 1_000) - 1;
  expect(await status(ownToken("eu-1", "eu-west", keyOf("eu-1", "eu-west", F1, past)))).toBe(401);
});

/** A link of a node with a key of this one of the fleet's, on which it has registered. */
async function register(node: string, fleet: typeof F1) {
  const headers = { authorization: `Bearer ${ownToken(node, "eu-west", keyOf(node, "eu-west", fleet))}` };
  const link = await Socket.open<{ type: "registered" }>(`${world.url}/node/regions/eu-west`, headers);
  link.send({ type: "register", version: 2, node, region: "eu-west", load: LOAD });
  await link.next("registered");
  return link;
}

test("a key of the fleet's is replaced while two are good: nobody but the node itself dials for that", async () => {
  const [link, other] = [await register("eu-1", F1), await register("eu-2", F1)];
  let over = 0;
  void other.closed.then(() => {
    over += 1;
  });
  // The first node was given a key of the other one: its new link takes the place of its old one.
  const renewed = await register("eu-1", F2);
  await link.closed;
  other.send({ type: "heartbeat", load: LOAD });
  (await register("eu-3", F2)).close();
  expect(over).toBe(0);
  for (const each of [renewed, other]) each.close();
});

test("a key of the fleet's is withdrawn: its nodes are refused when they dial, the others come in", async () => {
  (await register("eu-1", F1)).close();
  (await register("eu-2", F2)).close();
  await world.restart(() => {}, { CONNECT_NODE_KEYS: JSON.stringify([F2]) });
  await expect(register("eu-1", F1)).rejects.toThrow("refused");
  expect(await status(ownToken("eu-1", "eu-west", keyOf("eu-1", "eu-west", F1)))).toBe(401);
  // With a key of the one that is left, the same node is here again.
  for (const node of ["eu-1", "eu-2"]) (await register(node, F2)).close();
  await world.restart(() => {}, { CONNECT_NODE_KEYS: JSON.stringify(FLEET_KEYS) });
  (await register("eu-1", F1)).close();
});
