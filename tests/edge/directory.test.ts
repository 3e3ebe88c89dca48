// The directory: rooms that everybody with an account finds, by words, page by page, with how many are in them.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { DirectoryPage, Room, RoomList, SettingsChange } from "../../web/sdk/src/generated/protocol.ts";
import { shardOf } from "./disk.ts";
import { type Person, World } from "./world.ts";

let world: World;
let ada: Person;
let bob: Person;
beforeAll(async () => {
  world = await World.start({ CONNECT_LIMIT_SEARCH_ADDRESS: "2000/900" });
  [ada, bob] = await Promise.all([world.person("Ada"), world.person("Bob")]);
});
afterAll(() => world.stop());

async function look(query: Record<string, string> = {}): Promise<DirectoryPage> {
  const answer = await bob.call<DirectoryPage>(`/api/directory?${new URLSearchParams(query)}`);
  expect(answer.status).toBe(200);
  return answer.body;
}

const namesOf = ({ rooms }: DirectoryPage) => rooms.map(({ name }) => name);
const found = async (q: string) => namesOf(await look({ q }));
const listed = (name: string, settings: SettingsChange = {}) =>
  ada.createRoom(name, { listed: true, ...settings });

test("a listed room is found by the beginnings of its words, a private one is not", async () => {
  const room = await listed("Größe: Straßenfest 2026");
  await ada.createRoom("Straßenfest, das Komitee");
  await expect.poll(() => found("strasse")).toEqual(["Größe: Straßenfest 2026"]);
  for (const q of ["grosse", "STRAßENFEST 20", "2026 groß"]) expect(await found(q)).toHaveLength(1);
  for (const q of ["fest", "strasse komitee", "%", "' OR 1=1 --", "🎉"]) expect(await found(q)).toEqual([]);
  expect((await look({ q: "strasse" })).rooms).toEqual([
    { id: room.id, name: room.name, people: 0, locked: false, password: false },
  ]);
});

test("the directory tells who is in a room and how its door is, and forgets one that is not listed any more", async () => {
  const room = await listed("Aquarium");
  const here = async () => (await look({ q: "aquarium" })).rooms.map(({ people }) => people);
  const live = async () => namesOf(await look({ q: "aquarium", live: "true" }));
  await expect.poll(here).toEqual([0]);
  expect(await live()).toEqual([]);
  const host = await ada.enter(room);
  const second = await bob.enter(room);
  await expect.poll(here).toEqual([2]);
  expect(await live()).toEqual(["Aquarium"]);
  second.socket.send({ type: "leave" });
  await expect.poll(here).toEqual([1]);

  host.socket.send({ type: "configure", change: { locked: true } });
  host.socket.send({ type: "setPassword", password: "open sesame" });
  await expect
    .poll(async () => (await look({ q: "aquarium" })).rooms)
    .toMatchObject([{ locked: true, password: true }]);
  host.socket.send({ type: "configure", change: { listed: false } });
  await expect.poll(here).toEqual([]);
  host.socket.send({ type: "configure", change: { listed: true } });
  await expect.poll(here).toEqual([1]);

  expect((await ada.call(`/api/rooms/${room.id}`, { method: "DELETE" })).status).toBe(204);
  await expect.poll(here).toEqual([]);
});

test("a room that was deleted without the directory being told is not listed any more once somebody asks for it", async () => {
  const room = await listed("Vanished");
  const kept = await listed("Vanished, not quite");
  await expect.poll(() => found("vanished")).toHaveLength(2);
  // As a release leaves it that knows nothing of the list.
  await world.restart((disk) =>
    disk.named("RoomObject", room.id, (database) => {
      const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
      for (const { name } of tables) {
        if (!/^(_cf_|sqlite_)/.test(`${name}`)) database.exec(`DROP TABLE ${name}`);
      }
    }),
  );
  expect(await found("vanished")).toHaveLength(2);
  expect((await bob.call(`/api/rooms/${kept.id}`)).status).toBe(200);
  expect((await bob.call(`/api/rooms/${room.id}`)).status).toBe(404);
  await expect.poll(() => found("vanished")).toEqual(["Vanished, not quite"]);
});

test("pages follow one another by name, each room once, also where rooms have one name, and over a restart", async () => {
  const names = ["Delta", "alpha", "Échelon", "Bravo", "charlie", "Bravo", "Eagle"].map(
    (name) => `Paged ${name}`,
  );
  for (const name of names) await listed(name);
  const inOrder = ["alpha", "Bravo", "Bravo", "charlie", "Delta", "Eagle", "Échelon"].map(
    (name) => `Paged ${name}`,
  );
  await expect.poll(() => found("paged")).toEqual(inOrder);
  const ids = new Set<string>();
  const paged: string[] = [];
  let after = {};
  for (let page = 0; page < 3; page++) {
    if (page === 1) await world.restart();
    const { rooms, next } = await look({ q: "paged", limit: "3", ...after });
    for (const { id, name } of rooms) {
      ids.add(id);
      paged.push(name);
    }
    expect(next === null).toBe(page === 2);
    if (next !== null) after = { after: next };
  }
  expect(paged).toEqual(inOrder);
  expect(ids.size).toBe(names.length);
});

test("who may not look, and what cannot be looked for", async () => {
  const room = await ada.createRoom();
  const guest = await world.guest(room, "Guest");
  expect((await world.call("/api/directory")).status).toBe(401);
  expect(await guest.call("/api/directory")).toMatchObject({
    status: 403,
    body: { type: "/problems/guest" },
  });
  for (const query of ["after=nowhere", "after=%2F%20x", "limit=many", "limit=-1", "live=perhaps"])
    expect((await bob.call(`/api/directory?${query}`)).status, query).toBe(400);
  expect((await bob.call("/api/directory", { body: {} })).status).toBe(405);
  const long = await bob.call<DirectoryPage>(`/api/directory?q=${"x%20".repeat(3_000)}`);
  expect(long).toMatchObject({ status: 200, body: { rooms: [] } });
});

test("looking is limited", async () => {
  const limited = await World.start({ CONNECT_LIMIT_SEARCH_ADDRESS: "2/900" });
  const eve = await limited.person("Eve");
  const statuses: number[] = [];
  for (let i = 0; i < 3; i++) statuses.push((await eve.call("/api/directory")).status);
  expect(statuses).toEqual([200, 200, 429]);
  await limited.stop();
});

test("what a former release has told the directory is still known", async () => {
  const room = await ada.createRoom("Former");
  const mine = async () => (await ada.call<RoomList>("/api/rooms")).body.rooms.map(({ name }) => name);
  await expect.poll(mine).toContain("Former");
  await world.restart((disk) =>
    disk.directory(room.id, (database) => {
      database.exec(
        "CREATE TABLE records (kind TEXT, name TEXT, value TEXT NOT NULL, PRIMARY KEY (kind, name))",
      );
      const insert = database.prepare("INSERT INTO records VALUES ('room', ?, ?)");
      for (const row of database.prepare("SELECT * FROM rooms").all() as unknown as Row[]) {
        const { id, name, owner, created_at: createdAt, people } = row;
        insert.run(id, JSON.stringify({ id, name, owner, createdAt, people }));
      }
      insert.run("broken", "{");
      for (const table of ["rooms", "words", "migrations"]) database.exec(`DROP TABLE ${table}`);
    }),
  );
  expect(await mine()).toContain("Former");
});

test("a change costs as many rows in a shard of 100,000 rooms as in one of ten", async () => {
  const room = await listed("Measured");
  await expect.poll(() => found("measured")).toEqual(["Measured"]);
  const shard = shardOf(room.id);
  const entry = (people: number, change: object = {}) => ({
    room: { ...room, people },
    listed: true,
    locked: false,
    password: false,
    ...change,
  });
  const put = async (body: object) =>
    Number((await world.operate("DIRECTORY", shard, "put", body)).get("x-rows"));
  const costs = async () => {
    const [comes, more, leaves] = [await put(entry(1)), await put(entry(2)), await put(entry(0))];
    const [hidden, shown] = [await put(entry(0, { listed: false })), await put(entry(0))];
    return { comes, more, leaves, hidden, shown };
  };
  const milliseconds = async () => {
    const began = performance.now();
    for (let i = 0; i < 500; i++) await put(entry(1 + (i % 2)));
    return (performance.now() - began) / 500;
  };
  const filled: Record<number, object> = {};
  for (const size of [10, 100_000]) {
    await world.restart((disk) => disk.directory(room.id, (database) => fill(database, size)));
    filled[size] = await costs();
    const searched = await world.operate("DIRECTORY", shard, "search", {
      words: ["number77777"],
      live: false,
      after: null,
      limit: 30,
    });
    process.stdout.write(
      `${size} rooms in a shard: ${JSON.stringify(filled[size])} rows, ${(await milliseconds()).toFixed(2)} ms an update, a search ${searched.get("x-rows")} rows\n`,
    );
  }
  expect(filled[100_000]).toEqual(filled[10]);
}, 120_000);

interface Row extends Record<string, unknown> {
  id: string;
  name: string;
  owner: string;
  created_at: number;
  people: number;
}

/** Fills a shard with so many listed rooms. */
function fill(database: { exec(sql: string): void }, size: number): void {
  database.exec(`
    WITH RECURSIVE count(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count WHERE n < ${size})
    INSERT OR IGNORE INTO rooms
    SELECT 'filler-' || n, 'Filler number' || n, 'nobody', 0, n % 3, 1, 0, 0, 'filler number' || n FROM count;
    INSERT OR IGNORE INTO words SELECT 'filler', id FROM rooms WHERE owner = 'nobody';
    INSERT OR IGNORE INTO words SELECT substr(sorted, 8), id FROM rooms WHERE owner = 'nobody'`);
}

test("a shard that did not take a listed room is told again until it does", async () => {
  const first: Room = await listed("Stubborn one");
  await expect.poll(() => found("stubborn")).toHaveLength(1);
  await world.restart((disk) =>
    disk.directory(first.id, (database) =>
      database.exec(
        "CREATE TRIGGER refuse BEFORE UPDATE ON rooms BEGIN SELECT RAISE(ABORT, 'the disk is full'); END",
      ),
    ),
  );
  const here = async () => (await look({ q: "stubborn" })).rooms.map(({ people }) => people);
  const client = await ada.enter(first);
  expect(client.welcome.snapshot?.participants).toHaveLength(1);
  expect(await here()).toEqual([0]);
  await world.restart((disk) => disk.directory(first.id, (database) => database.exec("DROP TRIGGER refuse")));
  // Nobody does anything: the room's alarm tells it.
  await expect.poll(here, { timeout: 20_000, interval: 250 }).toEqual([1]);
});
