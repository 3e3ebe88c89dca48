// The door: each refusal has a name, words and a way on; who is refused costs nothing; and a restart forgets none of it.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Room, SettingsChange } from "../../web/sdk/src/generated/protocol.ts";
import { FakeNode } from "./fake-node.ts";
import { Client, type Person, World } from "./world.ts";

let world: World;
let ada: Person;
let ben: Person;
beforeAll(async () => {
  world = await World.start({ CONNECT_ROOM_CAPACITY: "3", CONNECT_USER_CAPACITY: "2" });
  [ada, ben] = await Promise.all([world.person("Ada"), world.person("Ben")]);
});
afterAll(() => world.stop());

const join = (person: Person, room: Room, body: object = {}) =>
  person.call(`/api/rooms/${room.id}/join`, { body });
const refused = (kind: string) => ({ status: 403, body: { type: `/problems/${kind}` } });

test.each<[SettingsChange, string]>([
  [{ locked: true }, "room-locked"],
  [{ opensAt: Date.now() + 3_600_000 }, "not-open-yet"],
])("%o keeps out who is not the owner", async (settings, kind) => {
  const room = await ada.createRoom("Shut", settings);
  const answer = await join(ben, room);
  expect(answer).toMatchObject(refused(kind));
  if (settings.opensAt) expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(3_500);
  expect((await join(ada, room)).status).toBe(200);
  await world.restart();
  expect(await join(ben, room)).toMatchObject(refused(kind));
  const door = await world.call<object>(`/api/rooms/${room.id}/door`);
  expect(Object.keys(door.body).sort()).toEqual([
    "guests",
    "lobby",
    "locked",
    "name",
    "opensAt",
    "password",
    "webinar",
  ]);
});

test("a locked room is opened again by its host", async () => {
  const room = await ada.createRoom("Shut", { locked: true });
  const host = await ada.enter(room);
  host.socket.send({ type: "configure", change: { locked: false } });
  await host.socket.next("event", ({ event }) => event.type === "settings");
  expect((await join(ben, room)).status).toBe(200);
});

test("a full room says so, and so does one that somebody is in too often", async () => {
  const room = await ada.createRoom("Small", { capacity: 2 });
  const first = await ben.enter(room);
  await ben.enter(room);
  expect(await join(ben, room)).toMatchObject(refused("too-often-here"));
  expect((await join(ben, room, { moveHere: true })).status).toBe(200);
  const cy = await world.person("Cy");
  expect(await join(cy, room)).toMatchObject({
    status: 403,
    body: { type: "/problems/room-full", detail: expect.stringContaining("at most 2") },
  });
  // No more than the server has, whatever is set; and the owner always gets in.
  const host = await ada.enter(room);
  host.socket.send({ type: "configure", change: { capacity: 500 } });
  await host.socket.next("event", ({ event }) => event.type === "settings");
  expect((await join(cy, room)).body).toMatchObject({ detail: expect.stringContaining("at most 3") });
  first.socket.close();
});

test("a room's password is asked for, counted when it is wrong, and shown to nobody", async () => {
  const headers = { "cf-connecting-ip": "192.0.2.1" };
  const room = await ada.createRoom("Secret");
  const host = await ada.enter(room);
  host.socket.send({ type: "setPassword", password: "open sesame" });
  const { event } = await host.socket.next("event", ({ event }) => event.type === "settings");
  expect(event).toMatchObject({ settings: { hasPassword: true } });
  expect(JSON.stringify(event)).not.toMatch(/sesame|argon2/);
  await world.restart();
  expect(await join(ben, room)).toMatchObject(refused("room-password-needed"));
  const wrong = await join(ben, room, { password: "open says me" });
  expect(wrong).toMatchObject(refused("wrong-room-password"));
  const { body } = await ben.call<{ room: Room }>(`/api/rooms/${room.id}/join`, {
    body: { password: "open\u00a0sesame" },
  });
  expect(JSON.stringify(body)).not.toMatch(/sesame|argon2/);
  const tries = await World.start({ CONNECT_LIMIT_ROOM_PASSWORD_ADDRESS: "2/900" });
  const [eve, dan] = await Promise.all([tries.person("Eve"), tries.person("Dan")]);
  const other = await eve.createRoom();
  const owner = await eve.enter(other);
  owner.socket.send({ type: "setPassword", password: "x" });
  await owner.socket.next("event", ({ event }) => event.type === "settings");
  const guess = (password: string) =>
    dan.call(`/api/rooms/${other.id}/join`, { body: { password }, headers });
  // Right ones do not count.
  for (let i = 0; i < 4; i++) expect((await guess("x")).status).toBe(200);
  const guessed = [await guess("a"), await guess("b"), await guess("c"), await guess("x")];
  expect(guessed.map(({ status }) => status)).toEqual([403, 403, 429, 429]);
  await tries.stop();
});

test("who is banned is out until that is lifted, also after a restart", async () => {
  const room = await ada.createRoom("Calm");
  const host = await ada.enter(room);
  const client = await ben.enter(room);
  client.socket.send({ type: "ban", participant: host.welcome.you });
  expect(await client.socket.next("error")).toMatchObject({ code: "forbidden", of: "ban" });
  host.socket.send({ type: "ban", participant: client.welcome.you });
  expect(await client.socket.next("closed")).toMatchObject({ reason: "removed" });
  const people = [{ user: ben.user.id, name: "Ben" }];
  expect(await host.socket.next("banned")).toEqual({ type: "banned", people });
  await world.restart();
  expect(await join(ben, room)).toMatchObject(refused("banned"));
  const back = await Client.open(world, host.resume(room, host.welcome.seq));
  expect(await back.socket.next("banned")).toMatchObject({ people });
  back.socket.send({ type: "unban", user: ben.user.id });
  expect(await back.socket.next("banned")).toMatchObject({ people: [] });
  expect((await join(ben, room)).status).toBe(200);
});

test("for who is refused no node is sought", async () => {
  const room = await ada.createRoom("Shut", { locked: true });
  const node = await FakeNode.register(world, "eu-1", "eu-west");
  const offer = { attempt: 1, sdp: "v=0", sources: [] };
  expect(await join(ben, room, { offer })).toMatchObject(refused("room-locked"));
  // The next room that is placed is the first.
  const open = await ada.createRoom("Open");
  await ada.enter(open);
  expect(await node.control.next("openRoom")).toMatchObject({ room: open.id });
  node.die();
});
