// What former releases have stored is there, in the tables of this one; and a migration that fails has not begun.
import { afterEach, expect, test } from "vitest";
import type { RoomList, Session } from "../../web/sdk/src/generated/protocol.ts";
import { FakeNode } from "./fake-node.ts";
import { FORMER, type Former } from "./former.ts";
import { Client, World } from "./world.ts";

let world: World;
afterEach(() => world.stop());

/** The Worker on what a former one has stored. */
async function open(former: Former) {
  world = await World.start({ CONNECT_ID_KEY: former.key });
  await world.restart((disk) => disk.load(former.objects));
  return {
    host: () => Client.open(world, `/api/rooms/${former.room}/ws?resume=${former.resume}&since=999`),
    login: () =>
      world.call<Session>("/api/auth/login", { body: { email: former.email, password: "password123" } }),
  };
}

/** How many rows each table of a class has, all objects together that were opened; of `records`, those that were not taken over. */
async function count(className: string) {
  const counted: Record<string, number> = {};
  await world.restart((disk) =>
    disk.each(className, (database) => {
      const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
      if (!tables.some(({ name }) => name === "migrations")) return;
      for (const { name } of tables.filter(({ name }) => !/^(_cf|sqlite)/.test(`${name}`))) {
        const which = name === "records" ? "WHERE value <> '\"moved to a table\"'" : "";
        const { rows } = database.prepare(`SELECT count(*) AS rows FROM ${name} ${which}`).get() ?? {};
        counted[`${name}`] = (counted[`${name}`] ?? 0) + Number(rows);
      }
    }),
  );
  return counted;
}

test.each(FORMER)("%s: an account, its rooms and its limits", async (_, former) => {
  const { login } = await open(former);
  const { status, body } = await login();
  expect([status, body.user.id]).toEqual([200, former.users.Ada]);
  const rooms = (await world.call<RoomList>("/api/rooms", { token: body.token })).body.rooms;
  expect(rooms).toMatchObject([{ id: former.room, name: "Former" }]);
  for (const password of ["no", "no", "no"])
    await world.call("/api/auth/login", { body: { email: former.email, password } });
  expect(
    (await world.call("/api/auth/login", { body: { email: former.email, password: "no" } })).status,
  ).toBe(429);
  expect(await count("UserObject")).toMatchObject({ account: 1, families: 2, visits: 1, rates: 2 });
  expect(await count("DirectoryObject")).toMatchObject({ rooms: 1 });
  expect(await count("LimiterObject")).toMatchObject({ rates: 1 });
});

test.each(FORMER)("%s: a room with all that is in it", async (_, former) => {
  const opened = await open(former);
  const host = await opened.host();
  const { snapshot } = host.welcome;
  const person = (name: string) =>
    snapshot?.participants.find((participant) => participant.user === former.users[name]);
  expect(snapshot?.participants).toHaveLength(3);
  expect(person("Ada")).toMatchObject({ id: former.you, role: "host" });
  expect(person("Bob")).toMatchObject({ role: "speaker", caps: { audio: false }, decodes: ["vp8", "h264"] });
  expect(person("Gil")).toMatchObject({ role: "moderator" });
  expect(snapshot?.hands).toEqual([person("Bob")?.id]);
  expect(snapshot?.spotlight).toEqual([person("Gil")?.id]);
  expect(snapshot?.settings).toMatchObject({ chatDays: 300, lobby: true, hasPassword: true });
  expect(snapshot?.chat).toMatchObject([
    { text: "one" },
    { text: "to the host", replyTo: "1", to: { user: former.users.Ada } },
    { text: "three", mentions: [{ user: former.users.Ada }], reactions: [{ reaction: "heart", mine: true }] },
    { text: "four" },
  ]);
  expect(snapshot?.polls).toMatchObject([
    { id: 1, results: { voters: 1, counts: [1, 0] }, closedAt: expect.any(Number) },
    { id: 2, results: { voters: 1, counts: [0, 1] }, closedAt: null },
  ]);
  expect(await host.socket.next("banned")).toMatchObject({ people: [{ user: former.users.Eve }] });
  const { token } = (await opened.login()).body;
  const audit = await world.call<{ entries: object[] }>(`/api/rooms/${former.room}/audit`, { token });
  expect(audit.body.entries).toHaveLength(former.audit);
  const node = await FakeNode.register(world, "eu-1", "eu-west");
  await node.link(former.room, 1);
  node.die();
  const { migrations, ...counted } = await count("RoomObject");
  expect(migrations).toBeGreaterThanOrEqual(1);
  expect(counted).toMatchObject({
    records: 0,
    room: 1,
    people: 3,
    nodes: 1,
    rulings: 3,
    waiting: 1,
    moved: 1,
  });
  expect(counted).toMatchObject({ polls: 2, ballots: 2, chat: 4, audit: former.audit });
});

test("a migration that fails half-way leaves what was there, and is made once it can be", async () => {
  const former = FORMER[0]?.[1] as Former;
  const opened = await open(former);
  const failing =
    "CREATE TRIGGER refuse BEFORE DELETE ON records WHEN old.kind = 'poll' BEGIN SELECT RAISE(ABORT, 'full'); END";
  const room = (work: string) =>
    world.restart((disk) =>
      disk.each("RoomObject", (database) => {
        database.exec(work);
        const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
        expect(tables.map(({ name }) => name)).not.toContain("people");
      }),
    );
  await room(failing);
  const show = async () => (await world.call(`/api/rooms/${former.room}`, { token })).status;
  const { token } = (await opened.login()).body;
  expect(await show()).toBe(500);
  await room("DROP TRIGGER refuse");
  expect(await show()).toBe(200);
  expect((await opened.host()).welcome.snapshot?.polls).toHaveLength(2);
});
