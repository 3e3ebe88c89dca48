// The API for developers: rooms, people, tokens, moderation and data by a key; and requests that are sent again.
import { afterAll, beforeAll, expect, test } from "vitest";
import type {
  AuditPage,
  CreatedKey,
  JoinResponse,
  KeyScope,
  OwnRoom,
  OwnRooms,
  ParticipantList,
  RoomToken,
} from "../../web/sdk/src/generated/protocol.ts";
import { type Answer, type Call, Client, type Person, World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

const ALL: KeyScope[] = ["rooms:read", "rooms:write", "tokens:write", "moderation:write", "data:write"];

/** A program of somebody. */
class Program {
  private constructor(readonly token: string) {}

  static async of(person: Person, scopes = ALL): Promise<Program> {
    const body = { name: "Backend", scopes };
    return new Program((await person.call<CreatedKey>("/api/v1/keys", { body })).body.secret);
  }

  call<T>(path: string, call: Call = {}): Promise<Answer<T>> {
    return world.call<T>(`/api/v1${path}`, { ...call, token: this.token });
  }

  async room(settings: object = {}): Promise<OwnRoom> {
    return (await this.call<OwnRoom>("/rooms", { body: { name: "Room", settings } })).body;
  }

  async invite(room: OwnRoom, body: object): Promise<RoomToken> {
    return (await this.call<RoomToken>(`/rooms/${room.id}/tokens`, { body })).body;
  }

  moderate(room: OwnRoom, body: object) {
    return this.call<never>(`/rooms/${room.id}/moderation`, { body });
  }
}

/** Somebody in a room by a token of its owner. */
async function enter(room: OwnRoom, { token }: RoomToken): Promise<Client> {
  const { body } = await world.call<JoinResponse>(`/api/rooms/${room.id}/join`, { token, body: {} });
  return Client.open(world, body.url);
}

test("rooms are made, listed by pages, shown, changed and deleted, each by its owner alone", async () => {
  const [ada, eve] = await Promise.all([world.person("Ada"), world.person("Eve")]);
  const [program, other] = await Promise.all([Program.of(ada), Program.of(eve)]);
  const rooms = [];
  for (let made = 0; made < 3; made += 1) rooms.push(await program.room({ lobby: true }));
  expect(rooms[0]).toMatchObject({ owner: ada.user.id, people: 0, settings: { lobby: true, locked: false } });
  const ids = rooms.map((room) => room.id).sort();
  await expect.poll(async () => (await program.call<OwnRooms>("/rooms")).body.rooms.length).toBe(3);
  const first = (await program.call<OwnRooms>("/rooms?limit=2")).body;
  const second = (await program.call<OwnRooms>(`/rooms?limit=2&after=${first.next}`)).body;
  expect([...first.rooms, ...second.rooms].map(({ id }) => id)).toEqual(ids);
  expect(second.next).toBeNull();
  expect((await other.call<OwnRooms>("/rooms")).body.rooms).toEqual([]);
  const path = `/rooms/${ids[0]}`;
  const changed = await program.call(path, { method: "PATCH", body: { settings: { locked: true } } });
  expect(changed).toMatchObject({ status: 200, body: { settings: { lobby: true, locked: true } } });
  expect((await program.call<OwnRoom>(path)).body.settings.locked).toBe(true);
  for (const [method, at, body] of [
    ["GET", path, undefined],
    ["PATCH", path, { settings: {} }],
    ["DELETE", path, undefined],
    ["GET", `${path}/participants`, undefined],
    ["POST", `${path}/tokens`, { name: "Gil" }],
    ["POST", `${path}/moderation`, { type: "end" }],
    ["POST", `${path}/data`, { data: "x" }],
    ["DELETE", `${path}/participants/x`, undefined],
  ] as const)
    expect([method, at, (await other.call(at, { method, body })).status]).toEqual([method, at, 404]);
  expect((await program.call(path, { method: "PUT" })).headers.get("allow")).toBe(
    "GET, HEAD, PATCH, DELETE, OPTIONS",
  );
  expect((await program.call(path, { method: "DELETE" })).status).toBe(204);
  expect((await program.call(path)).status).toBe(404);
  await expect.poll(async () => (await program.call<OwnRooms>("/rooms")).body.rooms.length).toBe(2);
});

test("each thing needs its scope", async () => {
  const ada = await world.person("Ada");
  const room = await (await Program.of(ada)).room();
  const path = `/rooms/${room.id}`;
  for (const [scope, method, at, body] of [
    ["rooms:read", "GET", "/rooms", undefined],
    ["rooms:read", "GET", path, undefined],
    ["rooms:read", "GET", `${path}/participants`, undefined],
    ["rooms:write", "POST", "/rooms", { name: "Room" }],
    ["rooms:write", "PATCH", path, { settings: {} }],
    ["tokens:write", "POST", `${path}/tokens`, { name: "Gil" }],
    ["moderation:write", "POST", `${path}/moderation`, { type: "unlock" }],
    ["data:write", "POST", `${path}/data`, { data: "x" }],
  ] as const) {
    const [with_, without] = await Promise.all([
      Program.of(ada, [scope]),
      Program.of(
        ada,
        ALL.filter((other) => other !== scope),
      ),
    ]);
    expect([at, (await with_.call(at, { method, body })).status]).toEqual([
      at,
      expect.toBeOneOf([200, 201, 204]),
    ]);
    expect([at, (await without.call(at, { method, body })).status]).toEqual([at, 403]);
    const keys = (await ada.call<{ keys: { id: string }[] }>("/api/v1/keys")).body.keys;
    for (const { id } of keys) await ada.call(`/api/v1/keys/${id}`, { method: "DELETE" });
  }
});

test("a token lets one person into one room, as who and what it says", async () => {
  const program = await Program.of(await world.person("Ada"));
  const [room, other] = [await program.room({ guests: false }), await program.room()];
  const invited = await program.invite(room, {
    name: " Gil ",
    role: "moderator",
    identity: "user-7",
    expiresIn: 60,
  });
  expect(invited).toMatchObject({ name: "Gil", role: "moderator", expiresIn: 60 });
  const client = await enter(room, invited);
  const [gil] = client.welcome.snapshot?.participants ?? [];
  expect(gil).toMatchObject({ name: "Gil", role: "moderator", guest: true, user: invited.user });
  const { token } = invited;
  expect(await world.call(`/api/rooms/${other.id}/join`, { token, body: {} })).toMatchObject({
    status: 403,
    body: { type: "/problems/guest" },
  });
  expect((await world.call("/api/v1/rooms", { token })).status).toBe(403);
  const again = await program.invite(room, { name: "Gil", identity: "user-7" });
  expect([again.user, again.role]).toEqual([invited.user, "guest"]);
  expect((await program.invite(other, { name: "Gil", identity: "user-7" })).user).not.toBe(invited.user);
  expect((await program.invite(room, { name: "Gil" })).user).not.toBe(invited.user);
  for (const [body, field] of [
    [{ name: "" }, "name"],
    [{ name: "Gil", role: "king" }, "role"],
    [{ name: "Gil", expiresIn: 59 }, "expiresIn"],
    [{ name: "Gil", expiresIn: 43_201 }, "expiresIn"],
    [{ name: "Gil", identity: "" }, "identity"],
    [{ name: "Gil", identity: "x".repeat(129) }, "identity"],
  ] as const) {
    const refused = await program.call<{ errors: { field: string }[] }>(`/rooms/${room.id}/tokens`, { body });
    expect([refused.status, refused.body.errors[0]?.field]).toEqual([422, field]);
  }
});

test("people are listed, muted, removed and banned, and the host reads by which key", async () => {
  const ada = await world.person("Ada");
  const program = await Program.of(ada);
  const room = await program.room();
  const [gil, cy] = [
    await program.invite(room, { name: "Gil", identity: "gil" }),
    await program.invite(room, { name: "Cy", identity: "cy" }),
  ];
  const [first, second] = [await enter(room, gil), await enter(room, cy)];
  const list = await program.call<ParticipantList>(`/rooms/${room.id}/participants`);
  expect(list.body.participants.map(({ name }) => name)).toEqual(["Gil", "Cy"]);
  const participant = first.welcome.you;
  expect((await program.moderate(room, { type: "mute", participant })).status).toBe(204);
  await first.socket.next("event", ({ event }) => event.type === "caps" && !event.caps.audio);
  const out = await program.call(`/rooms/${room.id}/participants/${participant}`, { method: "DELETE" });
  expect(out.status).toBe(204);
  expect(await first.socket.next("closed")).toMatchObject({ reason: "removed" });
  expect((await program.moderate(room, { type: "mute", participant })).status).toBe(404);
  await program.moderate(room, { type: "ban", participant: second.welcome.you });
  expect(await second.socket.next("closed")).toMatchObject({ reason: "removed" });
  const join = { token: cy.token, body: {} };
  expect((await world.call(`/api/rooms/${room.id}/join`, join)).body.type).toBe("/problems/banned");
  await program.moderate(room, { type: "unban", user: cy.user });
  const third = await enter(room, cy);
  expect((await program.moderate(room, { type: "end" })).status).toBe(204);
  expect(await third.socket.next("closed")).toMatchObject({ reason: "ended" });
  const audit = await ada.call<AuditPage>(`/api/rooms/${room.id}/audit`);
  const deeds = audit.body.entries.map(({ by, on, deed }) => [by.name, on?.name ?? null, deed.type]);
  expect(deeds).toEqual([
    ["Backend", null, "ended"],
    ["Backend", "Cy", "unbanned"],
    ["Backend", "Cy", "banned"],
    ["Backend", "Gil", "removed"],
    ["Backend", "Gil", "caps"],
  ]);
  expect((await program.moderate(room, { type: "praise" })).status).toBe(422);
});

test("data reaches all, or one", async () => {
  const program = await Program.of(await world.person("Ada"));
  const room = await program.room();
  const [gil, cy] = [
    await enter(room, await program.invite(room, { name: "Gil" })),
    await enter(room, await program.invite(room, { name: "Cy" })),
  ];
  const send = (body: object) => program.call(`/rooms/${room.id}/data`, { body });
  expect((await send({ data: "to Cy", to: cy.welcome.you })).status).toBe(204);
  expect((await send({ data: "to all" })).status).toBe(204);
  expect(await gil.socket.next("data")).toMatchObject({ data: "to all" });
  expect(await cy.socket.next("data")).toMatchObject({ data: "to Cy" });
  expect(await cy.socket.next("data")).toMatchObject({ data: "to all" });
  expect((await send({ data: "" })).status).toBe(422);
  expect((await send({ data: "x".repeat(16 * 1024 + 1) })).status).toBe(422);
  expect((await send({ data: "x", to: "nobody" })).status).toBe(404);
  const all = await Promise.all(Array.from({ length: 60 }, () => send({ data: "x" })));
  const refused = all.find(({ status }) => status === 429);
  expect(refused?.headers.get("ratelimit-policy")).toBe('"data";q=30;w=3');
});

test("what is sent again under its key is done once, and answered the same", async () => {
  const ada = await world.person("Ada");
  const program = await Program.of(ada);
  const headers = { "idempotency-key": "one" };
  const create = (name: string, more: Call = {}) =>
    program.call<OwnRoom>("/rooms", { body: { name }, headers, ...more });
  const first = await create("Room");
  expect(first.status).toBe(201);
  expect(await create("Room")).toMatchObject({ status: 201, body: first.body });
  expect(await create("Other")).toMatchObject({ status: 422, body: { type: "/problems/key-reused" } });
  const token = () =>
    program.call<RoomToken>(`/rooms/${first.body.id}/tokens`, { body: { name: "Room" }, headers });
  expect((await token()).status).toBe(422);
  await world.restart();
  expect((await create("Room")).body.id).toBe(first.body.id);
  const other = await Program.of(ada);
  const theirs = await other.call<OwnRoom>("/rooms", { body: { name: "Room" }, headers });
  expect(theirs.body.id).not.toBe(first.body.id);
  // What was refused is not remembered.
  const again = { headers: { "idempotency-key": "two" } };
  expect((await create("", again)).status).toBe(422);
  expect((await create("Room", again)).status).toBe(201);
  expect((await create("", { headers: { "idempotency-key": "é".repeat(3) } })).status).toBe(400);
});

test("of two at the same time one is done, and the other is told to wait or gets its answer", async () => {
  const program = await Program.of(await world.person("Ada"));
  const create = () =>
    program.call<OwnRoom>("/rooms", { body: { name: "Room" }, headers: { "idempotency-key": "k" } });
  const answers = await Promise.all(Array.from({ length: 8 }, create));
  const made = answers.filter(({ status }) => status === 201);
  expect(new Set(made.map(({ body }) => body.id)).size).toBe(1);
  for (const { status, headers } of answers.filter((answer) => !made.includes(answer)))
    expect([status, headers.get("retry-after")]).toEqual([409, "1"]);
  await expect.poll(async () => (await program.call<OwnRooms>("/rooms")).body.rooms.length).toBe(1);
  // Its Worker was lost: after a minute it is done again, and makes the same room.
  await world.restart((disk) =>
    disk.each("DeveloperObject", (database) =>
      database.exec("UPDATE requests SET status = NULL, body = NULL, at = at - 61000 WHERE key = 'k'"),
    ),
  );
  expect(await create()).toMatchObject({ status: 201, body: { id: made[0]?.body.id } });
});
