// What cannot be read, of a later release or broken: everything else is there, and it stays as it is.
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RoomList, Session } from "../../web/sdk/src/generated/protocol.ts";
import { Client, World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

test("a room loads with what it can read, and keeps what a later release has stored", async () => {
  const [ada, bob] = [await world.person("Ada"), await world.person("Bob")];
  const room = await ada.createRoom();
  const [first, second] = [await ada.enter(room), await bob.enter(room)];
  const since = second.welcome.seq;
  for (const nonce of ["n1", "n2", "n3"]) {
    first.socket.send({ type: "chat", nonce, text: nonce });
    await first.socket.next("chatAccepted");
  }
  const kept = [
    "SELECT event FROM events WHERE event LIKE '%later%'",
    "SELECT role, mood FROM people WHERE id = 'somebody'",
    "SELECT state FROM polls WHERE id = 9",
    "SELECT mood FROM people WHERE id <> 'somebody'",
    "SELECT * FROM dreams",
    "SELECT number FROM migrations WHERE number = 999",
  ];
  const look = (work: (rows: unknown[]) => void) =>
    world.restart((disk) =>
      disk.room(first.welcome.you, (database) =>
        work(
          kept.map((query) =>
            database
              .prepare(query)
              .all()
              .map((row) => ({ ...row })),
          ),
        ),
      ),
    );
  await world.restart((disk) =>
    disk.room(first.welcome.you, (database) => {
      database.exec(`
        INSERT INTO migrations VALUES (999, 1);
        CREATE TABLE dreams (of TEXT PRIMARY KEY) STRICT;
        INSERT INTO dreams VALUES ('sheep');
        ALTER TABLE people ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm';
        CREATE TEMP TABLE one AS SELECT * FROM people LIMIT 1;
        UPDATE one SET id = 'somebody', role = 'of a later release', mood = 'new';
        INSERT INTO people SELECT * FROM one;
        UPDATE events SET event = '{"type":"later","than":"now"}' WHERE seq = ${since + 2};
        INSERT INTO polls VALUES (9, 'n', 'u', 'U', 'q', '[]', 0, 0, 'live', 1, '"LaterState"');
        UPDATE chat SET value = '?' WHERE number = 2`);
    }),
  );
  // Events are missing after `since`: so it is the whole state.
  const back = await Client.open(world, second.resume(room, since));
  expect(back.welcome.snapshot?.participants).toHaveLength(2);
  expect(back.welcome.snapshot?.chat.map((line) => line.text)).toEqual(["n1", "n3"]);
  back.socket.send({ type: "chat", nonce: "n4", text: "n4" });
  expect(await back.socket.next("chatAccepted")).toMatchObject({ id: "4" });
  await look((rows) =>
    expect(rows).toEqual([
      [{ event: '{"type":"later","than":"now"}' }],
      [{ role: "of a later release", mood: "new" }],
      [{ state: '"LaterState"' }],
      [{ mood: "calm" }, { mood: "calm" }],
      [{ of: "sheep" }],
      [{ number: 999 }],
    ]),
  );
  // A room that is deleted leaves nothing of it.
  expect((await ada.call(`/api/rooms/${room.id}`, { method: "DELETE" })).status).toBe(204);
  await world.restart((disk) => {
    const find = () => disk.object("RoomObject", ["dreams", "sheep"], () => {});
    expect(find).toThrow("no RoomObject");
  });
});

test("a room whose own record cannot be read is not the same as no room", async () => {
  const ada = await world.person("Ada");
  const room = await ada.createRoom();
  const client = await ada.enter(room);
  await world.restart((disk) =>
    disk.room(client.welcome.you, (database) => database.exec("UPDATE room SET kind = 'of a later release'")),
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
    disk.object("DirectoryObject", ["rooms", lost.id], (database) =>
      database.prepare("UPDATE rooms SET people = -1 WHERE id = ?").run(lost.id),
    );
    disk.object("UserObject", ["account", user], (database) =>
      database
        .prepare("INSERT INTO families (id, current, former, expires) VALUES (?, 'c', '{', 0)")
        .run(family),
    );
  });
  expect(await listed()).toEqual(["Kept"]);
  const body = { email: ada.email, password: "password123" };
  expect((await world.call<Session>("/api/auth/login", { body })).status).toBe(200);
  const cookie = `__Host-connect_refresh=${user}.${family}.guess`;
  expect((await world.call("/api/auth/refresh", { method: "POST", headers: { cookie } })).status).toBe(401);
});
