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

test("a key is taken out of use without breaking a link: the other one goes on", async () => {
  const headers = { authorization: `Bearer ${ownToken("eu-1", "eu-west", keyOf("eu-1", "eu-west", F1))}` };
  const link = await Socket.open<{ type: "registered" }>(`${world.url}/node/regions/eu-west`, headers);
  link.send({ type: "register", version: 2, node: "eu-1", region: "eu-west", load: LOAD });
  await link.next("registered");
  // A second node with a key of the other one beside it: nobody dials anew for that.
  const second = { authorization: `Bearer ${ownToken("eu-2", "eu-west", keyOf("eu-2", "eu-west", F2))}` };
  const other = await Socket.open<{ type: "registered" }>(`${world.url}/node/regions/eu-west`, second);
  other.send({ type: "register", version: 2, node: "eu-2", region: "eu-west", load: LOAD });
  await other.next("registered");
  link.send({ type: "heartbeat", load: LOAD });
  other.close();
  link.close();
});
