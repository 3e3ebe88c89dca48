// A room that nobody has used for long is retired: it leaves the lists, its link says so, and nothing of it is left.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { DirectoryPage, Room, RoomList } from "../../web/sdk/src/generated/protocol.ts";
import { Client, World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

const DAYS = 91 * 86_400_000;

/** From now on, the room was last used long ago. */
async function ages(room: Room): Promise<void> {
  await world.restart((disk) =>
    disk.object("RoomObject", ["room", room.id], (database) =>
      database.prepare("UPDATE room SET used_at = ?").run(Date.now() - DAYS),
    ),
  );
}

test("a listed room goes, with its chat, and its link says so; a permanent one stays", async () => {
  const ada = await world.person("Ada");
  const bob = await world.person("Bob");
  const room = await ada.createRoom("Forgotten", { listed: true });
  const lasting = await ada.createRoom("Lasting", { listed: true, permanent: true });
  for (const each of [room, lasting]) {
    const client = await ada.enter(each);
    client.socket.send({ type: "chat", nonce: "n", text: "a line" });
    await client.socket.next("chatAccepted");
    client.socket.send({ type: "leave" });
    await client.socket.closed;
  }
  const listed = async () =>
    (await bob.call<DirectoryPage>("/api/directory")).body.rooms.map(({ name }) => name);
  const mine = async () => (await ada.call<RoomList>("/api/rooms")).body.rooms.map(({ name }) => name).sort();
  await expect.poll(listed).toEqual(["Forgotten", "Lasting"]);
  for (const each of [room, lasting]) await ages(each);

  // Its alarm was set for that time; here the room is looked at first.
  for (const each of [room, lasting]) await ada.call(`/api/rooms/${each.id}`);
  const retired = { status: 410, body: { type: "/problems/room-retired" } };
  await expect.poll(() => ada.call(`/api/rooms/${room.id}`)).toMatchObject(retired);
  await expect.poll(listed).toEqual(["Lasting"]);
  expect(await mine()).toEqual(["Lasting"]);
  expect((await ada.call(`/api/rooms/${lasting.id}`)).status).toBe(200);

  // Also after a restart, by every way, for its former owner too.
  await world.restart();
  const path = `/api/rooms/${room.id}`;
  expect(await world.call(`${path}/door`)).toMatchObject(retired);
  expect(await world.call(`${path}/guests`, { body: { name: "Guest" } })).toMatchObject(retired);
  expect(await bob.call(`${path}/join`, { body: {} })).toMatchObject(retired);
  expect(await ada.call(`${path}/join`, { body: {} })).toMatchObject(retired);
  expect(await ada.call(`${path}/chat/export`)).toMatchObject(retired);
  expect(await ada.call(path, { method: "DELETE" })).toMatchObject(retired);
  await expect(Client.open(world, `${path}/ws?ticket=x`)).rejects.toThrow("refused");
  await world.restart((disk) =>
    disk.object("RoomObject", ["room", room.id], (database) => {
      for (const table of ["people", "events", "chat", "audit", "owed"])
        expect(database.prepare(`SELECT * FROM ${table}`).all()).toEqual([]);
    }),
  );
});
