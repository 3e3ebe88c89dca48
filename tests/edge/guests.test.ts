// Guests: a link is enough where the room allows it, their token is good for that room alone, and an account is taken on the way.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { GuestSession, SignInList } from "../../web/sdk/src/generated/protocol.ts";
import { FakeNode } from "./fake-node.ts";
import { Client, Guest, type Person, World } from "./world.ts";

let world: World;
let ada: Person;
beforeAll(async () => {
  world = await World.start();
  ada = await world.person("Ada");
});
afterAll(() => world.stop());

const own = (client: Client) =>
  client.welcome.snapshot?.participants.find(({ id }) => id === client.welcome.you);

test("a link is enough: the door says what is behind it, and a guest comes in", async () => {
  const room = await ada.createRoom("Open house");
  expect(await world.call(`/api/rooms/${room.id}/door`)).toMatchObject({
    status: 200,
    body: { name: "Open house", guests: true },
  });
  const host = await ada.enter(room);
  const come = await world.call<GuestSession>(`/api/rooms/${room.id}/guests`, { body: { name: "  Gil " } });
  expect(come).toMatchObject({ status: 201, body: { name: "Gil", expiresIn: 43_200 } });
  expect(come.body.user).toMatch(/^guest-[0-9a-f]{32}$/);
  const gil = await world.guest(room, "Gil");
  expect((await gil.call(`/api/rooms/${room.id}`)).body).toMatchObject({ name: "Open house", yours: 0 });
  expect(await gil.iceServers()).toEqual([]);
  const client = await gil.enter(room);
  expect(own(client)).toMatchObject({ name: "Gil", role: "guest", guest: true, user: gil.session.user });
  const { event } = await host.socket.next("event", ({ event }) => event.type === "joined");
  expect(event).toMatchObject({ participant: { name: "Gil", role: "guest" } });
});

test("a browser is the same guest of a room whenever it comes, and another one in each room; a ban holds for it", async () => {
  const [room, other] = [await ada.createRoom("Own"), await ada.createRoom("Other")];
  const come = async (id: string, cookie = "") => {
    const headers = { cookie, origin: world.url, "sec-fetch-site": "same-origin" };
    const {
      status,
      body,
      headers: answered,
    } = await world.call<GuestSession>(`/api/rooms/${id}/guests`, {
      body: { name: "Gil" },
      headers,
    });
    const [set = ""] = answered.getSetCookie();
    return { status, body, set, cookie: set.split(";")[0] };
  };
  const first = await come(room.id);
  expect(first.set).toMatch(/^__Host-connect_guest=[\w-]{43}; .*HttpOnly; Secure; SameSite=Strict/);
  const again = await come(room.id, first.cookie);
  expect(again).toMatchObject({ body: { user: first.body.user }, cookie: first.cookie });
  expect((await come(other.id, first.cookie)).body.user).not.toBe(first.body.user);
  for (const cookie of ["", "__Host-connect_guest=x"]) {
    expect((await come(room.id, cookie)).body.user).not.toBe(first.body.user);
  }
  const foreign = {
    cookie: first.cookie ?? "",
    origin: "https://evil.example",
    "sec-fetch-site": "cross-site",
  };
  const refused = await world.call(`/api/rooms/${room.id}/guests`, {
    body: { name: "Gil" },
    headers: foreign,
  });
  expect(refused.status).toBe(403);

  const host = await ada.enter(room);
  const join = (token: string) => world.call(`/api/rooms/${room.id}/join`, { body: {}, token });
  const gil = await new Guest(world, first.body).enter(room);
  host.socket.send({ type: "ban", participant: gil.welcome.you });
  expect(await gil.socket.next("closed")).toMatchObject({ reason: "removed" });
  await world.restart();
  expect(await join((await come(room.id, first.cookie)).body.token)).toMatchObject({
    status: 403,
    body: { type: "/problems/banned" },
  });
  expect((await join((await come(room.id)).body.token)).status).toBe(200);
});

test("who comes as somebody else by the same browser is another guest, but for who is ruled on", async () => {
  const [room, other] = [await ada.createRoom("Shared"), await ada.createRoom("Elsewhere")];
  const come = async (id: string, cookie: string, fresh = false) => {
    const headers = { cookie, origin: world.url, "sec-fetch-site": "same-origin" };
    const body = { name: "Gil", fresh };
    const { body: session, headers: answered } = await world.call<GuestSession>(`/api/rooms/${id}/guests`, {
      body,
      headers,
    });
    return { ...session, cookie: answered.getSetCookie()[0]?.split(";")[0] ?? "" };
  };
  const host = await ada.enter(room);
  const first = await come(room.id, "");
  const second = await come(room.id, first.cookie, true);
  expect(second.user).not.toBe(first.user);
  // From now on this browser is the second, also where the first was never.
  expect(await come(room.id, second.cookie)).toMatchObject({ user: second.user, cookie: second.cookie });
  expect((await come(other.id, second.cookie)).user).not.toBe((await come(other.id, first.cookie)).user);
  // Who was banned is, whoever they say they are.
  const gil = await new Guest(world, second).enter(room);
  host.socket.send({ type: "ban", participant: gil.welcome.you });
  expect(await gil.socket.next("closed")).toMatchObject({ reason: "removed" });
  const third = await come(room.id, second.cookie, true);
  expect(third.user).toBe(second.user);
  expect((await come(room.id, third.cookie)).user).toBe(second.user);
  expect([first.user, second.user]).not.toContain((await come(other.id, third.cookie)).user);
  expect(await come(room.id, `${first.cookie}.32`)).not.toMatchObject({ user: first.user });
});

test("what was said to a guest and about them is their account's, also what is not in memory any more", async () => {
  const room = await ada.createRoom("Long");
  const host = await ada.enter(room);
  const gil = await world.guest(room, "Gil");
  const client = await gil.enter(room);
  const user = gil.session.user;
  for (const line of [
    { nonce: "secret", text: "for you alone", to: user },
    { nonce: "mention", text: "@Gil", mentions: [user] },
    { nonce: "filler", text: "filler" },
  ]) {
    host.socket.send({ type: "chat", ...line });
    await host.socket.next("chatAccepted", ({ nonce }) => nonce === line.nonce);
  }
  client.socket.send({ type: "reactToChat", id: "2", reaction: "heart", on: true });
  await host.socket.next("event", ({ event }) => event.type === "chatReacted");
  await world.restart((disk) =>
    disk.room(host.welcome.you, (database) =>
      database.exec(`WITH RECURSIVE count(n) AS (SELECT 4 UNION ALL SELECT n + 1 FROM count WHERE n < 300)
        INSERT INTO chat SELECT n, user, 'n' || n, size, replace(value, 'filler', 'n' || n) FROM count, chat WHERE number = 3`),
    ),
  );
  const back = await Client.open(world, client.resume(room, client.welcome.seq));
  const bea = await world.person("Bea");
  back.socket.send({ type: "takeAccount", token: bea.token });
  await back.socket.next("event", ({ event }) => event.type === "account");
  const second = await bea.enter(room);
  second.socket.send({ type: "chatHistory", before: "4", limit: 10 });
  const { lines } = await second.socket.next("chatPage");
  expect(lines).toMatchObject([
    { text: "for you alone", to: { user: bea.user.id } },
    { mentions: [{ user: bea.user.id }], reactions: [{ reaction: "heart", count: 1, mine: true }] },
    { text: "filler" },
  ]);
});

test("a guest's token is good for the way into its room alone", async () => {
  const [room, other] = [await ada.createRoom("Own"), await ada.createRoom("Other")];
  const gil = await world.guest(room, "Gil");
  for (const [method, path] of [
    ["GET", "/api/auth/me"],
    ["GET", "/api/rooms"],
    ["POST", "/api/rooms"],
    ["POST", "/api/rooms/create"],
    ["DELETE", `/api/rooms/${room.id}`],
    ["GET", `/api/rooms/${other.id}`],
    ["POST", `/api/rooms/${other.id}/join`],
  ] as const) {
    const body = method === "POST" ? { name: "Mine" } : undefined;
    const refused = await gil.call(path, { method, body });
    expect(refused, `${method} ${path}`).toMatchObject({ status: 403, body: { type: "/problems/guest" } });
  }
  const forged = `${gil.token.slice(0, -4)}AAAA`;
  expect((await world.call(`/api/rooms/${room.id}`, { token: forged })).status).toBe(401);
});

test("bad names, rooms that are none, and rooms that take no guests are refused", async () => {
  const room = await ada.createRoom("Members", { guests: false });
  const come = (id: string, body: object) => world.call(`/api/rooms/${id}/guests`, { body });
  expect(await come(room.id, { name: "Gil" })).toMatchObject({
    status: 403,
    body: { type: "/problems/no-guests", detail: expect.stringContaining("sign in") },
  });
  expect((await world.call(`/api/rooms/${room.id}/door`)).body).toMatchObject({ guests: false });
  for (const name of ["", " ", "\u200b", "x".repeat(81)]) {
    const refused = await come(room.id, { name });
    expect(refused, name).toMatchObject({ status: 422, body: { errors: [{ field: "name" }] } });
  }
  expect((await come(room.id, {})).status).toBe(422);
  expect((await come("bako-tuvi-remo-dasu", { name: "Gil" })).status).toBe(404);
  expect((await world.call("/api/rooms/bako-tuvi-remo-dasu/door")).status).toBe(404);
  expect((await world.call(`/api/rooms/${room.id}/guests`)).status).toBe(405);
});

test("who is inside stays when guests are forbidden, and nobody follows, not after a restart either", async () => {
  const room = await ada.createRoom("Closing");
  const host = await ada.enter(room);
  const gil = await world.guest(room, "Gil");
  const client = await gil.enter(room);
  const spare = await world.guest(room, "Spare");
  host.socket.send({ type: "configure", change: { guests: false } });
  await client.socket.next("event", ({ event }) => event.type === "settings" && !event.settings.guests);
  await world.restart();
  const back = await Client.open(world, client.resume(room, client.welcome.seq));
  expect(back.welcome.you).toBe(client.welcome.you);
  const refused = await spare.call(`/api/rooms/${room.id}/join`, { body: {} });
  expect(refused).toMatchObject({ status: 403, body: { type: "/problems/no-guests" } });
});

test("a guest takes an account in the call, and keeps it over a restart", async () => {
  const room = await ada.createRoom("Taking");
  const host = await ada.enter(room);
  const node = await FakeNode.register(world, "eu-1", "eu-west");
  const gil = await world.guest(room, "Gil");
  const client = await gil.enter(room);
  const you = client.welcome.you;
  client.socket.send({ type: "chat", nonce: "n1", text: "before" });
  await client.socket.next("chatAccepted");
  const caps = { audio: false, video: true, screen: true, captions: false, maxLayer: null, maxBitrate: null };
  host.socket.send({ type: "setCaps", participant: you, caps });
  await client.socket.next("event", ({ event }) => event.type === "caps");

  // A guest's token is no account's, nor is one that was never given; and one whose session was ended speaks for nobody.
  const lea = await world.person("Lea");
  const { body } = await lea.call<SignInList>("/api/account/sessions");
  await lea.call(`/api/account/sessions/${body.sessions[0]?.id}`, { method: "DELETE" });
  for (const token of [gil.token, "nonsense", lea.token]) {
    client.socket.send({ type: "takeAccount", token });
    expect(await client.socket.next("error")).toMatchObject({ code: "forbidden", of: "takeAccount" });
  }
  const bea = await world.person("Bea");
  client.socket.send({ type: "takeAccount", token: bea.token });
  for (const { socket } of [host, client]) {
    const { event } = await socket.next("event", ({ event }) => event.type === "account");
    expect(event).toEqual({ type: "account", participant: you, user: bea.user.id, name: "Bea" });
  }
  const role = await host.socket.next("event", ({ event }) => event.type === "role");
  expect(role.event).toMatchObject({ participant: you, role: "speaker" });
  client.socket.send({ type: "takeAccount", token: bea.token });
  expect(await client.socket.next("error")).toMatchObject({ code: "forbidden" });

  node.die();
  await world.restart();
  const back = await Client.open(world, client.resume(room, client.welcome.seq));
  expect(back.welcome.you).toBe(you);
  // The same line again is the same line, as whom it was written first.
  back.socket.send({ type: "chat", nonce: "n1", text: "before" });
  expect(await back.socket.next("chatAccepted")).toMatchObject({ id: "1" });
  // What was ruled on the guest holds for the account, on every page.
  const second = await bea.enter(room);
  expect(own(second)).toMatchObject({ name: "Bea", guest: false, role: "speaker", caps });
  expect(second.welcome.snapshot?.chat).toMatchObject([{ text: "before", user: bea.user.id }]);
});

test("guests count by their address, before a room is asked", async () => {
  const limited = await World.start({ CONNECT_LIMIT_JOIN_ADDRESS: "2/900" });
  const room = await (await limited.person("Ada")).createRoom();
  const headers = { "cf-connecting-ip": "192.0.2.1" };
  const come = () => limited.call(`/api/rooms/${room.id}/guests`, { body: { name: "Gil" }, headers });
  expect([await come(), await come()].map(({ status }) => status)).toEqual([201, 201]);
  const refused = await come();
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  expect((await limited.call(`/api/rooms/${room.id}/door`, { headers })).status).toBe(429);
  await limited.stop();
});
