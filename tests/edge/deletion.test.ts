// Deleting a room: the owner does, and it ends for everybody.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RoomList } from "../../web/sdk/src/generated/protocol.ts";
import { FakeNode } from "./fake-node.ts";
import { World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

test("only the owner deletes; then everybody is told, and nothing is left", async () => {
  const [ada, bob] = await Promise.all([world.person("Ada"), world.person("Bob")]);
  const node = await FakeNode.register(world, "eu-1", "eu-west");
  const room = await ada.createRoom();
  const path = `/api/rooms/${room.id}`;
  const guest = await bob.enter(room);
  const link = await node.openRoom();
  await link.socket.next("plan");
  expect((await bob.call(path, { method: "DELETE" })).status).toBe(403);
  expect((await ada.call(path, { method: "DELETE" })).status).toBe(204);
  expect(await guest.socket.next("closed")).toEqual({ type: "closed", reason: "roomDeleted" });
  await link.socket.next("release");
  expect((await ada.call(path)).status).toBe(404);
  expect((await ada.call(path, { method: "DELETE" })).status).toBe(404);
  expect((await bob.call(`${path}/join`, { body: {} })).status).toBe(404);
  await expect.poll(async () => (await bob.call<RoomList>("/api/rooms")).body.rooms).toEqual([]);
  await expect(node.link(room.id, link.epoch)).rejects.toThrow("refused");
  node.die();
});
