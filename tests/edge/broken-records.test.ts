// Records that cannot be read, of another release or broken: everything else is there, and they stay as they are.
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RoomList, Session } from "../../web/sdk/src/generated/protocol.ts";
import { Client, World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

const PUT = "INSERT OR REPLACE INTO records VALUES (?, ?, ?)";

test("a room loads with what it can read", async () => {
  const [ada, bob] = [await world.person("Ada"), await world.person("Bob")];
  const room = await ada.createRoom();
  const [first, second] = [await ada.enter(room), await bob.enter(room)];
  const since = second.welcome.seq;
  for (const nonce of ["n1", "n2", "n3"]) {
    first.socket.send({ type: "chat", nonce, text: nonce });
    await first.socket.next("chatAccepted");
  }
  const event = `${since + 2}`.padStart(16, "0");
  const broken = [
    ["event", event, '{"Event":{"seq":4,"at":1,"event":{"type":"later","than":"now"}}}'],
    ["person", "somebody", "{"],
    ["poll", "a kind of a later release", '{"Poll":{}}'],
  ];
  await world.restart((disk) =>
    disk.room(first.welcome.you, (database) => {
      for (const row of broken) database.prepare(PUT).run(...(row as [string, string, string]));
      database.exec("UPDATE chat SET value = '?' WHERE number = 2");
    }),
  );
  // Events are missing after `since`: so it is the whole state.
  const back = await Client.open(world, second.resume(room, since));
  expect(back.welcome.snapshot?.participants).toHaveLength(2);
  expect(back.welcome.snapshot?.chat.map((line) => line.text)).toEqual(["n1", "n3"]);
  back.socket.send({ type: "chat", nonce: "n4", text: "n4" });
  expect(await back.socket.next("chatAccepted")).toMatchObject({ id: "4" });
  await world.restart((disk) =>
    disk.room(first.welcome.you, (database) => {
      const rows = database.prepare("SELECT kind, name, value FROM records").all().map(Object.values);
      for (const row of broken) expect(rows).toContainEqual(row);
    }),
  );
});

test("a room whose own record cannot be read is not the same as no room", async () => {
  const ada = await world.person("Ada");
  const room = await ada.createRoom();
  const client = await ada.enter(room);
  await world.restart((disk) =>
    disk.room(client.welcome.you, (database) => database.prepare(PUT).run("info", "", "{}")),
  );
  expect((await ada.call(`/api/rooms/${room.id}`)).status).toBe(500);
  expect((await ada.call(`/api/rooms/${room.id}/join`, { body: {} })).status).toBe(500);
});

test("an account and the directory serve what they can read", async () => {
  const ada = await world.person("Ada");
  const [kept, lost] = [await ada.createRoom("Kept"), await ada.createRoom("Lost")];
  const user = kept.owner;
  const listed = async () => (await ada.call<RoomList>("/api/rooms")).body.rooms.map(({ name }) => name);
  await expect.poll(listed).toEqual(["Lost", "Kept"]);
  const family = randomBytes(8).toString("hex");
  await world.restart((disk) => {
    disk.object("DirectoryObject", ["room", lost.id], (database) =>
      database.prepare(PUT).run("room", lost.id, "[]"),
    );
    disk.object("UserObject", ["account", "", user], (database) =>
      database.prepare(PUT).run("family", family, "null"),
    );
  });
  expect(await listed()).toEqual(["Kept"]);
  const body = { email: ada.email, password: "password123" };
  expect((await world.call<Session>("/api/auth/login", { body })).status).toBe(200);
  const cookie = `__Host-connect_refresh=${user}.${family}.guess`;
  expect((await world.call("/api/auth/refresh", { method: "POST", headers: { cookie } })).status).toBe(401);
});
