// What cannot be stored did not happen: the object starts anew from what is.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RoomList } from "../../web/sdk/src/generated/protocol.ts";
import { Client, World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

/** From now on, what looks like this cannot be stored. */
const refuse = (when: string, table: string, what = "true") =>
  `CREATE TRIGGER refuse ${when} ON ${table} WHEN ${what} BEGIN SELECT RAISE(ABORT, 'the disk is full'); END`;

test("a room whose write fails is the room that is stored", async () => {
  const [ada, bob] = [await world.person("Ada"), await world.person("Bob")];
  const room = await ada.createRoom();
  const before = await ada.enter(room);
  await world.restart((disk) =>
    disk.room(before.welcome.you, (database) =>
      database.exec(refuse("BEFORE INSERT", "events", "new.event LIKE '%poison%'")),
    ),
  );
  const first = await Client.open(world, before.resume(room, 99));
  const second = await bob.enter(room);
  const chat = (client: Client, nonce: string) => client.socket.send({ type: "chat", nonce, text: nonce });
  chat(first, "one");
  await first.socket.next("chatAccepted");
  chat(first, "poison");
  // Everybody is cut off, and nobody was told of a line that is not stored.
  await Promise.all([first.socket.closed, second.socket.closed]);
  expect(first.socket.pending("chatAccepted")).toEqual([]);
  const back = await Client.open(world, first.resume(room, 99));
  expect(back.welcome.snapshot?.chat.map((line) => line.text)).toEqual(["one"]);
  chat(back, "two");
  expect(await back.socket.next("chatAccepted")).toMatchObject({ id: "2" });
  const { seq } = await back.socket.next("event", ({ event }) => event.type === "chat");
  await world.restart((disk) =>
    disk.room(before.welcome.you, (database) => {
      const { latest } = database.prepare("SELECT max(seq) AS latest FROM events").get() ?? {};
      expect(Number(latest)).toBe(seq);
    }),
  );
});

test("the directory is told again what it did not take, also by a room that nobody uses any more", async () => {
  const ada = await world.person("Ada");
  const room = await ada.createRoom();
  const listed = async () => (await ada.call<RoomList>("/api/rooms")).body.rooms.map(({ id }) => id);
  await expect.poll(listed).toEqual([room.id]);
  await world.restart((disk) =>
    disk.directory(room.id, (database) => database.exec(refuse("BEFORE DELETE", "rooms"))),
  );
  expect((await ada.call(`/api/rooms/${room.id}`, { method: "DELETE" })).status).toBe(204);
  expect((await ada.call(`/api/rooms/${room.id}`)).status).toBe(404);
  expect(await listed()).toEqual([room.id]);
  await world.restart((disk) => disk.directory(room.id, (database) => database.exec("DROP TRIGGER refuse")));
  await expect.poll(listed, { timeout: 20_000, interval: 250 }).toEqual([]);
});

test("an account whose write fails is as it was", async () => {
  const ada = await world.person("Ada");
  const body = { email: ada.email, password: "password123" };
  const login = async () => (await world.call("/api/auth/login", { body })).status;
  const account: [string, string] = ["account", ada.user.id];
  await world.restart((disk) =>
    disk.object("UserObject", account, (database) => database.exec(refuse("BEFORE INSERT", "families"))),
  );
  expect(await login()).toBe(500);
  await world.restart((disk) =>
    disk.object("UserObject", account, (database) => {
      // That this sign-in was tried was written in the same turn.
      expect(database.prepare("SELECT * FROM rates").all()).toEqual([]);
      database.exec("DROP TRIGGER refuse");
    }),
  );
  expect(await login()).toBe(200);
});
