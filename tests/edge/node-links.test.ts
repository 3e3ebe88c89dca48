// The nodes' links: who may open them, and under which epoch.
import { afterAll, beforeAll, expect, test } from "vitest";
import { FakeNode, LOAD, nodeToken } from "./fake-node.ts";
import { Socket } from "./socket.ts";
import { World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

test.each([
  ["no token", ""],
  ["another fleet's key", nodeToken("eu-1", "eu-west", {}, "another key")],
  ["an expired token", nodeToken("eu-1", "eu-west", { exp: Math.floor(Date.now() / 1000) - 60 })],
  ["a token for too long", nodeToken("eu-1", "eu-west", { exp: Math.floor(Date.now() / 1000) + 3600 })],
  ["another audience", nodeToken("eu-1", "eu-west", { aud: "someone-else" })],
])("%s is refused", async (_, token) => {
  const { status } = await world.call("/node/regions/eu-west", { token });
  expect(status).toBe(401);
});

test("a token is good for its region only, and its region must exist", async () => {
  const token = nodeToken("eu-1", "eu-west");
  const headers = { authorization: `Bearer ${token}` };
  await expect(Socket.open(`${world.url}/node/regions/us-east`, headers)).rejects.toThrow("refused");
  await expect(FakeNode.register(world, "x-1", "atlantis")).rejects.toThrow("refused");
  expect((await world.call("/node/regions/eu-west", { token })).status).toBe(426);
});

test("a registration under another name or version is refused", async () => {
  const headers = { authorization: `Bearer ${nodeToken("eu-1", "eu-west")}` };
  for (const [node, version] of [
    ["eu-2", 1],
    ["eu-1", 99],
  ]) {
    const link = await Socket.open<{ type: "refused" }>(`${world.url}/node/regions/eu-west`, headers);
    link.send({ type: "register", version, node, region: "eu-west", load: LOAD });
    await link.next("refused");
    await link.closed;
  }
});

test("a node of the next version is registered, so that nodes and edge are upgraded one by one", async () => {
  const headers = { authorization: `Bearer ${nodeToken("eu-1", "eu-west")}` };
  const link = await Socket.open<{ type: "registered" }>(`${world.url}/node/regions/eu-west`, headers);
  link.send({ type: "register", version: 2, node: "eu-1", region: "eu-west", load: LOAD });
  await link.next("registered");
  link.close();
});

test("a room link needs a placement, and its epoch", async () => {
  const ada = await world.person("Ada");
  const room = await ada.createRoom();
  const node = await FakeNode.register(world, "eu-1", "eu-west");
  await expect(node.link(room.id, 1)).rejects.toThrow("refused");
  await ada.enter(room);
  const { epoch } = await node.control.next("openRoom");
  await expect(node.link(room.id, epoch - 1)).rejects.toThrow("refused");
  await expect(node.link(room.id, epoch + 1)).rejects.toThrow("refused");
  const link = await node.link(room.id, epoch);
  expect(await link.socket.next("plan")).toMatchObject({ peers: [] });
  node.die();
});
