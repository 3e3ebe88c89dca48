// The end of an account, and what its holder takes along before.
import { afterAll, beforeAll, expect, test } from "vitest";
import type {
  AccountExport,
  Room,
  RoomDetails,
  RoomList,
  Session,
} from "../../web/sdk/src/generated/protocol.ts";
import { type Client, cookiesOf, Person, World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

const remove = (person: Person, password = "password123") =>
  person.call("/api/account/deletion", { body: { password } });
const login = (email: string, password = "password123") =>
  world.call<Session>("/api/auth/login", { body: { email, password } });

async function say(client: Client, nonce: string) {
  client.socket.send({ type: "chat", nonce, text: `line ${nonce}` });
  await client.socket.next("chatAccepted");
}

test("it takes the password, so often, and all of it is gone at once", async () => {
  const ada = await world.person("Ada");
  const { body, headers } = await login(ada.email);
  const other = new Person(world, body, cookiesOf(headers));
  const room = await (await world.person("Bob")).createRoom();
  expect(await remove(ada, "password124")).toMatchObject({
    status: 403,
    body: { type: "/problems/wrong-password", errors: [{ field: "password" }] },
  });
  expect((await ada.call("/api/account/deletion", { method: "POST" })).status).toBe(403);
  const done = await remove(ada);
  expect(done.status).toBe(204);
  expect(done.headers.get("set-cookie")).toMatch(/connect_refresh=; Max-Age=0/);
  for (const person of [ada, other]) {
    expect((await person.call("/api/auth/me")).status).toBe(401);
    expect((await person.call(`/api/rooms/${room.id}/join`, { body: {} })).status).toBe(401);
    expect((await person.call("/api/rooms", { body: { name: "Room" } })).status).toBe(401);
    const headers = { cookie: person.cookies.refresh };
    expect((await world.call("/api/auth/refresh", { method: "POST", headers })).status).toBe(401);
    expect((await remove(person)).status).toBe(401);
  }
  expect((await login(ada.email)).status).toBe(401);
  const eve = await world.person("Eve");
  for (const status of [403, 403, 403, 429]) expect((await remove(eve, "password124")).status).toBe(status);
});

test("who takes the address then is somebody else, to whom nothing comes of the one before", async () => {
  const [ada, bob] = [await world.person("Ada"), await world.person("Bob")];
  const room = await bob.createRoom();
  const [old, host] = [await ada.enter(room), await bob.enter(room)];
  const moderator = { type: "setRole", participant: old.welcome.you, role: "moderator" };
  host.socket.send(moderator);
  await expect
    .poll(async () => (await old.socket.next("event")).event)
    .toMatchObject({ type: "role", role: "moderator" });
  await say(old, "1");
  await remove(ada);
  const register = () =>
    world.call<Session>("/api/auth/register", {
      body: { email: ada.email, password: "another password", name: "New" },
    });
  const { status, body, headers } = await register();
  expect(status).toBe(201);
  expect((await register()).status).toBe(409);
  const heir = new Person(world, body, cookiesOf(headers));
  expect(heir.user.id).not.toBe(ada.user.id);
  // The tokens of the one before are not the other's.
  expect((await ada.call("/api/auth/me")).status).toBe(401);
  expect((await heir.call<RoomList>("/api/rooms")).body.rooms).toEqual([]);
  await expect(old.socket.next("closed")).resolves.toMatchObject({ reason: "left" });
  const now = await heir.enter(room);
  const own = now.welcome.snapshot?.participants.find(({ user }) => user === heir.user.id);
  expect(own?.role).toBe("speaker");
  // The line stays, and says neither who wrote it nor that it was anybody who is here.
  const [line] = now.welcome.snapshot?.chat ?? [];
  expect(line).toMatchObject({ text: "line 1", name: "Deleted account" });
  expect([ada.user.id, heir.user.id]).not.toContain(line?.user);
  // A browser that was known is known for this address.
  await world.restart();
  expect((await login(ada.email, "another password")).body.user.id).toBe(heir.user.id);
  expect((await heir.call("/api/auth/me")).status).toBe(200);
});

test("its rooms go, or are passed on to a moderator", async () => {
  const [ada, bob] = [await world.person("Ada"), await world.person("Bob")];
  const [kept, lost] = [await ada.createRoom("Kept"), await ada.createRoom("Lost")];
  const [host, guest] = [await ada.enter(kept), await bob.enter(kept)];
  host.socket.send({ type: "setRole", participant: guest.welcome.you, role: "moderator" });
  await expect
    .poll(async () => (await guest.socket.next("event")).event)
    .toMatchObject({ type: "role", role: "moderator" });
  await bob.enter(lost);
  await remove(ada);
  await expect.poll(async () => (await bob.call(`/api/rooms/${lost.id}`)).status).toBe(404);
  await expect
    .poll(async () => (await bob.call<RoomDetails>(`/api/rooms/${kept.id}`)).body.owner)
    .toBe(bob.user.id);
  await expect
    .poll(async () => (await bob.call<RoomList>("/api/rooms")).body.rooms)
    .toMatchObject([{ id: kept.id, owner: bob.user.id }]);
  expect((await bob.call(`/api/rooms/${kept.id}`, { method: "DELETE" })).status).toBe(204);
});

test("of an account stays that it was, and no more", async () => {
  const alone = await World.start();
  try {
    const ada = await alone.person("Ada");
    const bob = await alone.person("Bob");
    const room = await ada.createRoom();
    await remove(ada);
    await expect.poll(async () => (await bob.call(`/api/rooms/${room.id}`)).status).toBe(404);
    const left: Record<string, unknown>[] = [];
    await alone.restart((disk) =>
      disk.each("UserObject", (database) => {
        const all = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
        const rows = ({ name }: Record<string, unknown>) => database.prepare(`SELECT * FROM "${name}"`).all();
        const ours = all.filter(({ name }) => !/^(_cf|sqlite|migrations)/.test(`${name}`));
        if (rows({ name: "generations" }).length > 0) left.push(...ours.flatMap(rows));
      }),
    );
    expect(left).toMatchObject([{ deleted: 1 }, { kind: "account", value: '"moved to a table"' }]);
  } finally {
    await alone.stop();
  }
});

test("who takes their data along gets all that is stored of them, and no secrets", async () => {
  const ada = await world.person("Ada");
  const own: Room = await ada.createRoom("Mine");
  const other = await (await world.person("Bob")).createRoom("Bob's");
  await ada.enter(other);
  const answer = async () => (await ada.call<AccountExport>("/api/account/export")).body;
  await expect.poll(async () => (await answer()).visits.map(({ room }) => room)).toEqual([other.id, own.id]);
  const data = await answer();
  expect(data.account).toMatchObject({ ...ada.user, hasPassword: true, createdAt: expect.any(Number) });
  expect(data.sessions).toMatchObject([{ current: true, browser: "A program" }]);
  expect(data.rooms).toMatchObject([{ id: own.id, name: "Mine" }]);
  expect(JSON.stringify(data)).not.toMatch(/argon2|secret|hash"/);
  const guest = await world.guest(other, "Gil");
  expect((await guest.call("/api/account/export")).status).toBe(403);
});
