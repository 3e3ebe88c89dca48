// Signing in: wrong credentials, limits, and the rotation of refresh tokens.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Session } from "../../web/sdk/src/generated/protocol.ts";
import { type Call, cookiesOf, type Person, World } from "./world.ts";

const DEVICE = "__Host-connect_device";

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

const login = (email: string, password: string, headers = {}) =>
  world.call<Session>("/api/auth/login", { body: { email, password }, headers });

const post = (path: string, cookie: string, call: Call = {}) =>
  world.call<Session>(path, { method: "POST", ...call, headers: { cookie, ...call.headers } });

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
    // His own browser is let in from the same address.
    const known = await strict.call("/api/auth/login", {
      body: own,
      headers: { cookie: bob.cookies.device },
    });
    expect(known.status).toBe(200);
  } finally {
    await strict.stop();
  }
});

test("a stranger who guesses keeps nobody out of a browser that has signed in before", async () => {
  const [ada, eve] = await Promise.all([world.person("Ada"), world.person("Eve")]);
  for (let i = 0; i < 3; i++) await login(ada.email, "wrong password");
  const from = (device: string, password = "password123") =>
    login(ada.email, password, { cookie: `other=1; ${device}` });
  for (let i = 0; i < 5; i++) {
    const known = await from(ada.cookies.device);
    expect(known.status).toBe(200);
    // It stays the same browser, of which the limit counts.
    expect(cookiesOf(known.headers).device).toBe(ada.cookies.device);
  }
  // What is forged, or of another account, is a browser like any other.
  const id = ada.user.id;
  const forged = ada.cookies.device.replace(/.$/, (last) => (last === "A" ? "E" : "A"));
  const ofEve = eve.cookies.device.replace(eve.user.id, id);
  for (const device of [eve.cookies.device, forged, ofEve, `${DEVICE}=${id}.1.x`, ""]) {
    expect((await from(device)).status).toBe(429);
  }
  // Guesses from the browser itself count for it, and not for others.
  for (let i = 0; i < 3; i++) {
    const wrong = await from(ada.cookies.device, "wrong password");
    expect(wrong).toMatchObject({ status: 401, body: { type: "/problems/wrong-credentials" } });
    expect(wrong.headers.get("set-cookie")).toBeNull();
  }
  expect((await from(ada.cookies.device)).status).toBe(429);
  const bob = await world.person("Bob");
  for (let i = 0; i < 4; i++) await login(bob.email, "wrong password", { cookie: bob.cookies.device });
  expect((await login(bob.email, "password123")).status).toBe(200);
});

test("a browser is known to the accounts that signed in there", async () => {
  const [ada, bob] = await Promise.all([world.person("Ada"), world.person("Bob")]);
  const both = await login(bob.email, "password123", { cookie: ada.cookies.device });
  const { device } = cookiesOf(both.headers);
  for (let i = 0; i < 3; i++) await login(ada.email, "wrong password");
  expect((await login(ada.email, "password123", { cookie: device })).status).toBe(200);
  expect((await login(ada.email, "password123")).status).toBe(429);
});

test("a refresh keeps a browser known, and makes none known: each that is has guesses of its own", async () => {
  const [ada, eve] = await Promise.all([world.person("Ada"), world.person("Eve")]);
  const { refresh, device } = ada.cookies;
  const renewed = await post("/api/auth/refresh", `${refresh}; ${device}`);
  expect(cookiesOf(renewed.headers).device).toBe(device);
  // Whoever has the refresh token has not the browser. The token that was replaced is answered for a while.
  const forged = device.replace(/.$/, (last) => (last === "A" ? "E" : "A"));
  for (const cookie of [refresh, `${refresh}; ${eve.cookies.device}`, `${refresh}; ${forged}`]) {
    const stolen = await post("/api/auth/refresh", cookie);
    expect(stolen.status).toBe(200);
    expect(cookiesOf(stolen.headers)).toMatchObject({ refresh: expect.stringMatching(/./), device: "" });
  }
});

test("a refresh whose answer was lost is answered again with the same token", async () => {
  const ada = await world.person("Ada");
  const first = ada.cookies.refresh;
  // Two tabs at once, of which neither hears the answer; then the one that does.
  const answers = await Promise.all([1, 2, 3].map(() => post("/api/auth/refresh", first)));
  const successors = answers.map((answer) => cookiesOf(answer.headers).refresh);
  expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200]);
  expect(new Set(successors).size).toBe(1);
  expect(successors[0]).not.toBe(first);
  await world.restart();
  expect(cookiesOf((await post("/api/auth/refresh", first)).headers).refresh).toBe(successors[0]);
  const third = await post("/api/auth/refresh", successors[0] ?? "");
  expect(third.status).toBe(200);
  expect(third.body.user.email).toBe(ada.email);
});

test("a refresh token of an older generation ends its family", async () => {
  const ada = await world.person("Ada");
  const first = ada.cookies.refresh;
  const second = cookiesOf((await post("/api/auth/refresh", first)).headers).refresh;
  const third = cookiesOf((await post("/api/auth/refresh", second)).headers).refresh;
  const reused = await post("/api/auth/refresh", first);
  expect(reused.status).toBe(401);
  expect(reused.headers.get("set-cookie")).toContain("Max-Age=0");
  for (const revoked of [third, second]) {
    expect((await post("/api/auth/refresh", revoked)).status).toBe(401);
  }
  // Another sign-in is another family.
  const other = cookiesOf((await login(ada.email, "password123")).headers).refresh;
  expect((await post("/api/auth/refresh", other)).status).toBe(200);
});

test("a refresh brings nobody else's session, and a sign-out ends nobody else's", async () => {
  const [ada, bob] = await Promise.all([world.person("Ada"), world.person("Bob")]);
  // Bob has signed in in another tab of the browser: the cookie is his, the page still Ada's.
  const meant = (person: Person) => ({ body: { user: person.user.id } });
  for (const path of ["/api/auth/refresh", "/api/auth/logout"]) {
    const refused = await post(path, bob.cookies.refresh, meant(ada));
    expect(refused).toMatchObject({ status: 409, body: { type: "/problems/other-account" } });
    expect(refused.headers.get("set-cookie")).toBeNull();
  }
  const refreshed = await post("/api/auth/refresh", bob.cookies.refresh, meant(bob));
  expect(refreshed).toMatchObject({ status: 200, body: { user: { id: bob.user.id } } });
  const malformed = await post("/api/auth/refresh", bob.cookies.refresh, { body: { user: 5 } });
  expect(malformed).toMatchObject({ status: 422, body: { errors: [{ field: "user" }] } });
});

test.each(["refresh", "logout"])("%s takes its cookie from pages of our own origin alone", async (deed) => {
  const ada = await world.person("Ada");
  const ask = (headers: Record<string, string>) =>
    post(`/api/auth/${deed}`, ada.cookies.refresh, { headers });
  const own = new URL(world.url);
  const foreign: Record<string, string>[] = [
    { "sec-fetch-site": "same-site" },
    { "sec-fetch-site": "same-site", origin: world.url },
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "none" },
    { "sec-fetch-site": "same-site", origin: "https://embedder.example" },
    { origin: "https://embedder.example" },
    { origin: `http://blog.${own.host}` },
    { origin: "null" },
  ];
  for (const headers of foreign) {
    const refused = await ask(headers);
    expect([headers, refused.status]).toEqual([headers, 403]);
    expect(refused.headers.get("set-cookie")).toBeNull();
  }
  // A browser of today; one that tells no site; no browser.
  const done = deed === "refresh" ? 200 : 204;
  expect((await ask({ "sec-fetch-site": "same-origin" })).status).toBe(done);
  expect((await ask({ origin: world.url })).status).toBe(done);
  expect((await ask({})).status).toBe(done);
  // Without a cookie a listed page may ask: nobody is signed in there.
  const listed = { "sec-fetch-site": "cross-site", origin: "https://embedder.example" };
  expect((await post(`/api/auth/${deed}`, "", { headers: listed })).status).toBe(204);
});

test("cookies are such that no sibling subdomain can plant them", async () => {
  const ada = await world.person("Ada");
  const { headers } = await login(ada.email, "password123");
  const cookies = headers.getSetCookie();
  expect(cookies).toHaveLength(2);
  for (const cookie of cookies) {
    expect(cookie).toMatch(/^__Host-connect_(refresh|device)=[\w.~-]+; Max-Age=\d+; /);
    expect(cookie).toMatch(/; HttpOnly; Secure; SameSite=Strict; Path=\/$/);
  }
  const planted = ada.cookies.refresh.replace("__Host-", "");
  expect((await post("/api/auth/refresh", planted)).status).toBe(204);
});

test("on a first visit nobody is signed in, which is no error", async () => {
  const answer = await world.call("/api/auth/refresh", { method: "POST" });
  expect(answer).toMatchObject({ status: 204, body: undefined });
  expect(answer.headers.get("set-cookie")).toBeNull();
});

test("an account keeps its twenty latest sign-ins", async () => {
  const ada = await world.person("Ada");
  const held = [];
  for (let i = 0; i < 21; i++) held.push(cookiesOf((await login(ada.email, "password123")).headers).refresh);
  expect((await post("/api/auth/refresh", held[0] ?? "")).status).toBe(401);
  expect((await post("/api/auth/refresh", held[1] ?? "")).status).toBe(200);
});

test("signing out ends the family", async () => {
  const ada = await world.person("Ada");
  const held = cookiesOf((await login(ada.email, "password123")).headers).refresh;
  expect((await post("/api/auth/logout", held)).status).toBe(204);
  expect((await post("/api/auth/refresh", held)).status).toBe(401);
  expect((await post("/api/auth/refresh", "__Host-connect_refresh=x.y")).status).toBe(401);
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
