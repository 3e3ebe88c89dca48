// Signing in: wrong credentials, limits, and the rotation of refresh tokens.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Session } from "../../web/sdk/src/generated/protocol.ts";
import { World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

const login = (email: string, password: string, headers = {}) =>
  world.call<Session>("/api/auth/login", { body: { email, password }, headers });

const cookie = (headers: Headers) => headers.get("set-cookie")?.split(";")[0] ?? "";
const post = (path: string, value: string) =>
  world.call<Session>(path, { method: "POST", headers: { cookie: value } });

test("an unknown address and a wrong password are told apart by nothing", async () => {
  const ada = await world.person("Ada");
  const wrong = await login(ada.email, "password124");
  const unknown = await login("nobody@example.com", "password124");
  const malformed = await login("nobody", "password124");
  expect(wrong.status).toBe(401);
  expect(unknown).toMatchObject({ status: 401, body: wrong.body });
  expect(malformed).toMatchObject({ status: 401, body: wrong.body });
  expect(wrong.body).toMatchObject({ type: "/problems/wrong-credentials", status: 401 });
});

test("failed sign-ins are limited per account, known or not, and per address", async () => {
  const ada = await world.person("Ada");
  for (const email of [ada.email, "stranger@example.com"]) {
    for (let i = 0; i < 3; i++) expect((await login(email, "wrong password")).status).toBe(401);
    const limited = await login(email, "password123");
    expect(limited.status).toBe(429);
    expect(Number(limited.headers.get("retry-after"))).toBeGreaterThan(0);
  }
  const strict = await World.start({ CONNECT_LIMIT_ADDRESS: "2/900" });
  try {
    const bob = await strict.person("Bob");
    const body = { email: "nobody@example.com", password: "wrong password" };
    for (let i = 0; i < 2; i++) await strict.call("/api/auth/login", { body });
    const own = { email: bob.email, password: "password123" };
    expect((await strict.call("/api/auth/login", { body: own })).status).toBe(429);
  } finally {
    await strict.stop();
  }
});

test("a refresh token is good once, and a reused one ends its family", async () => {
  const ada = await world.person("Ada");
  const first = cookie((await login(ada.email, "password123")).headers);
  const second = await post("/api/auth/refresh", first);
  expect(second.status).toBe(200);
  expect(second.body.user.email).toBe(ada.email);
  const third = await post("/api/auth/refresh", cookie(second.headers));
  expect(third.status).toBe(200);
  const reused = await post("/api/auth/refresh", first);
  expect(reused.status).toBe(401);
  expect(reused.headers.get("set-cookie")).toContain("Max-Age=0");
  expect((await post("/api/auth/refresh", cookie(third.headers))).status).toBe(401);
  // Another sign-in is another family.
  const other = cookie((await login(ada.email, "password123")).headers);
  expect((await post("/api/auth/refresh", other)).status).toBe(200);
});

test("on a first visit nobody is signed in, which is no error", async () => {
  const answer = await world.call("/api/auth/refresh", { method: "POST" });
  expect(answer).toMatchObject({ status: 204, body: undefined });
  expect(answer.headers.get("set-cookie")).toBeNull();
});

test("an account keeps its twenty latest sign-ins", async () => {
  const ada = await world.person("Ada");
  const held = [];
  for (let i = 0; i < 21; i++) held.push(cookie((await login(ada.email, "password123")).headers));
  expect((await post("/api/auth/refresh", held[0] ?? "")).status).toBe(401);
  expect((await post("/api/auth/refresh", held[1] ?? "")).status).toBe(200);
});

test("signing out ends the family", async () => {
  const ada = await world.person("Ada");
  const held = cookie((await login(ada.email, "password123")).headers);
  expect((await post("/api/auth/logout", held)).status).toBe(204);
  expect((await post("/api/auth/refresh", held)).status).toBe(401);
  expect((await post("/api/auth/refresh", "connect_refresh=x.y")).status).toBe(401);
});

test("the access token is an EdDSA JWT that the published key verifies", async () => {
  const { token } = await world.person("Ada");
  const [header, claims, signature] = token.split(".");
  const { alg, kid } = JSON.parse(Buffer.from(header ?? "", "base64url").toString());
  expect(alg).toBe("EdDSA");
  const jwks = await world.call<{ keys: (JsonWebKey & { kid: string })[] }>("/.well-known/jwks.json");
  const jwk = jwks.body.keys.find((key) => key.kid === kid);
  const key = await crypto.subtle.importKey("jwk", jwk ?? {}, "Ed25519", false, ["verify"]);
  const bytes = Buffer.from(signature ?? "", "base64url");
  expect(await crypto.subtle.verify("Ed25519", key, bytes, Buffer.from(`${header}.${claims}`))).toBe(true);
  const forged = Buffer.from(JSON.stringify({ sub: "x", name: "x", iat: 0, exp: 9e9 })).toString("base64url");
  expect((await world.call("/api/rooms", { token: `${header}.${forged}.${signature}` })).status).toBe(401);
  const none = Buffer.from(JSON.stringify({ alg: "none", kid })).toString("base64url");
  expect((await world.call("/api/rooms", { token: `${none}.${claims}.` })).status).toBe(401);
});
