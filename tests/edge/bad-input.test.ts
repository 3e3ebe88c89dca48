// Bad input: each kind has its clear answer, and nothing else is disturbed.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Client, type Person, World } from "./world.ts";

let world: World;
let ada: Person;
beforeAll(async () => {
  world = await World.start();
  ada = await world.person("Ada");
});
afterAll(() => world.stop());

const register = "/api/auth/register";
const GOOD = { email: "good@example.com", password: "password123", name: "A" };

test.each([
  ["no JSON", register, { raw: "{" }, 400, undefined],
  ["no object", register, { raw: "[1]" }, 400, undefined],
  ["more than an object", register, { raw: `${JSON.stringify(GOOD)} garbage` }, 400, undefined],
  ["two objects", register, { raw: `${JSON.stringify(GOOD)}{}` }, 400, undefined],
  ["a number for a text", register, { body: { email: 5, password: "password123", name: "A" } }, 422, "email"],
  ["a missing field", register, { body: { email: "a@b.co", name: "A" } }, 422, "password"],
  ["a weak password", register, { body: { email: "a@b.co", password: "short", name: "A" } }, 422, "password"],
  ["no address", register, { body: { email: "nobody", password: "password123", name: "A" } }, 422, "email"],
  [
    "a long name",
    register,
    { body: { email: "a@b.co", password: "password123", name: "A".repeat(81) } },
    422,
    "name",
  ],
  [
    "a name that cannot be seen",
    register,
    { body: { email: "a@b.co", password: "password123", name: "\u3164\u200b" } },
    422,
    "name",
  ],
  [
    "a name that turns the text after it",
    register,
    { body: { email: "a@b.co", password: "password123", name: "Ada\u202e" } },
    422,
    "name",
  ],
  ["a large body", register, { raw: `{"email":"${"x".repeat(70_000)}"}` }, 413, undefined],
  ["an unknown address", "/api/nothing", {}, 404, undefined],
  ["a wrong method", register, { method: "DELETE" }, 405, undefined],
  ["no token", "/api/rooms", {}, 401, undefined],
  ["a wrong token", "/api/rooms", { token: "a.b.c" }, 401, undefined],
])("%s", async (_, path, call, status, field) => {
  const answer = await world.call(path, call);
  expect(answer.status).toBe(status);
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  expect(answer.body.status).toBe(status);
  expect(answer.body.errors?.map((error) => error.field)).toEqual(field && [field]);
});

test("what a foreign page can make a browser send", async () => {
  const body = { email: ada.email, password: "password123" };
  const login = (headers: Record<string, string>) => world.call("/api/auth/login", { body, headers });
  const form = await login({ "content-type": "text/plain" });
  expect(form).toMatchObject({ status: 415, body: { type: "/problems/not-json" } });
  expect((await login({ "content-type": "application/json; charset=utf-8" })).status).toBe(200);
  const crossSite = { "sec-fetch-site": "cross-site" };
  expect((await login({ ...crossSite, origin: "https://evil.example" })).status).toBe(403);
  expect((await login({ "sec-fetch-site": "same-site", origin: "https://blog.example" })).status).toBe(403);
  expect((await login({ ...crossSite, origin: "https://embedder.example" })).status).toBe(200);
  expect((await login({ "sec-fetch-site": "same-origin" })).status).toBe(200);
});

test("a large body that does not say how large it is", async () => {
  const unannounced = new Blob(["x".repeat(80_000)]).stream();
  const answer = await fetch(world.url + register, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: unannounced,
    duplex: "half",
  } as RequestInit);
  expect(answer.status).toBe(413);
});

test("a body of megabytes gets its answer, whatever else is wrong", async () => {
  const raw = `{"name":"${"x".repeat(5_000_000)}"}`;
  expect(await world.call(register, { raw })).toMatchObject({
    status: 413,
    body: { type: "/problems/too-large" },
  });
  expect((await ada.call("/api/rooms", { raw })).status).toBe(413);
  expect((await world.call("/api/rooms", { raw })).status).toBe(401);
  expect((await world.call("/api/auth/me", { raw, method: "POST" })).status).toBe(405);
  expect((await world.call("/api/nothing", { raw })).status).toBe(404);
  expect((await world.call(register, { raw, headers: { origin: "https://evil.example" } })).status).toBe(403);
});

test("a taken address", async () => {
  const again = { email: ada.email.toUpperCase(), password: "password123", name: "Ada" };
  expect((await world.call(register, { body: again })).status).toBe(409);
});

test("rooms that are not there, and wrong hints", async () => {
  expect((await ada.call("/api/rooms/baba-baba-baba-baba")).status).toBe(404);
  expect((await ada.call("/api/rooms/a%20b/join", { body: {} })).status).toBe(404);
  const room = await ada.createRoom();
  const join = `/api/rooms/${room.id}/join`;
  expect((await ada.call(join, { body: { region: 5 } })).status).toBe(422);
  const offer = { attempt: 1, sdp: 5, sources: [] };
  const refused = await ada.call(join, { body: { offer } });
  expect(refused).toMatchObject({ status: 422, body: { errors: [{ field: "offer.sdp" }] } });
  const long = { ...offer, sdp: "x".repeat(70_000) };
  expect((await ada.call(join, { body: { offer: long } })).status).toBe(413);
  expect((await ada.call(join, { body: { region: "atlantis", unknown: true } })).status).toBe(200);
  expect((await ada.call(join, { method: "POST" })).status).toBe(200);
  expect((await ada.call(`/api/rooms/${room.id}/ws`)).status).toBe(426);
  for (const name of [" ", "\u2800", "Standup\u2066"]) {
    const answer = await ada.call("/api/rooms", { body: { name } });
    expect(answer).toMatchObject({ status: 422, body: { errors: [{ field: "name" }] } });
  }
});

test("headers keep answers to themselves", async () => {
  const { headers } = await ada.call("/api/rooms");
  expect(headers.get("content-security-policy")).toContain("default-src 'none'");
  expect(headers.get("x-content-type-options")).toBe("nosniff");
  expect(headers.get("cache-control")).toBe("no-store");
  expect(headers.get("access-control-allow-origin")).toBeNull();
  const origin = "https://embedder.example";
  const allowed = await ada.call("/api/rooms", { headers: { origin } });
  expect(allowed.headers.get("access-control-allow-origin")).toBe(origin);
  // Cookies are nothing to them.
  expect(allowed.headers.get("access-control-allow-credentials")).toBeNull();
  const stranger = await ada.call("/api/rooms", { headers: { origin: "https://evil.example" } });
  expect(stranger.headers.get("access-control-allow-origin")).toBeNull();
  const preflight = await fetch(`${world.url}/api/rooms`, { method: "OPTIONS", headers: { origin } });
  expect(preflight.status).toBe(204);
});

test("a WebSocket survives nonsense", async () => {
  const room = await ada.createRoom();
  const client: Client = await ada.enter(room);
  const { socket } = client;
  for (const nonsense of ["{", "null", '{"type":"fly"}', '{"type":"offer","attempt":"x"}', ""]) {
    socket.send(nonsense);
    expect(await socket.next("error")).toMatchObject({ code: "malformed" });
  }
  socket.sendBytes(new Uint8Array([1, 2, 3]));
  expect(await socket.next("error")).toMatchObject({ code: "malformed" });
  socket.send({ type: "chat", nonce: "big", text: "x".repeat(5_000) });
  expect(await socket.next("error")).toMatchObject({ code: "tooLarge", nonce: "big" });
  socket.send("x".repeat(300_000));
  expect(await socket.next("error")).toMatchObject({ code: "tooLarge" });
  for (let i = 0; i < 120; i++) socket.send({ type: "mediaFailed", attempt: 9 });
  expect(await socket.next("error")).toMatchObject({ code: "rateLimited" });
  const other = await ada.enter(room);
  other.socket.send({ type: "chat", nonce: "n", text: "still here" });
  await other.socket.next("chatAccepted");
});
