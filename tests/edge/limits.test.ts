// Limits: what may be done only so often, by a user and from an address.
import { afterAll, beforeAll, expect, test } from "vitest";
import { World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await World.start({
    CONNECT_LIMIT_ADDRESS: "2/900",
    CONNECT_LIMIT_REGISTER: "4/900",
    CONNECT_LIMIT_CREATE_USER: "2/900",
    CONNECT_LIMIT_CREATE_ADDRESS: "3/900",
    CONNECT_LIMIT_JOIN_ADDRESS: "3/900",
  });
});
afterAll(() => world.stop());

// Addresses of different customers; an IPv6 customer has a whole /64.
const from = (address: string) => ({ headers: { "cf-connecting-ip": address } });
const account = (name: string) => ({ email: `${name}@example.com`, password: "password123", name });

test("accounts, rooms and joins are limited, each by itself", async () => {
  const register = (name: string, address: string) =>
    world.call<{ token: string }>("/api/auth/register", { body: account(name), ...from(address) });
  const [ada, bob] = await Promise.all(["ada", "bob"].map((name) => register(name, "2001:db8::1")));
  for (const name of ["cy", "di"]) expect((await register(name, "2001:db8::2")).status).toBe(201);
  const fifth = await register("ed", "2001:db8::3");
  expect(fifth.status).toBe(429);
  expect(fifth.body).toMatchObject({ type: "/problems/too-many-attempts", status: 429 });
  expect(Number(fifth.headers.get("retry-after"))).toBeGreaterThan(0);
  expect((await register("ed", "192.0.2.1")).status).toBe(201);

  const create = (token: string | undefined, address: string) =>
    world.call<{ id: string }>("/api/rooms", { token, body: { name: "Room" }, ...from(address) });
  const room = (await create(ada?.body.token, "192.0.2.1")).body;
  expect((await create(ada?.body.token, "192.0.2.1")).status).toBe(200);
  expect((await create(ada?.body.token, "192.0.2.9")).status).toBe(429);
  expect((await create(bob?.body.token, "192.0.2.1")).status).toBe(200);
  expect((await create(bob?.body.token, "192.0.2.1")).status).toBe(429);

  const join = (address: string) =>
    world.call(`/api/rooms/${room.id}/join`, { token: ada?.body.token, body: {}, ...from(address) });
  for (let i = 0; i < 3; i++) expect((await join("192.0.2.1")).status).toBe(200);
  expect((await join("192.0.2.1")).status).toBe(429);
  expect((await join("192.0.2.2")).status).toBe(200);
});

test("sign-ins side by side are no way around the limit, and good ones do not count", async () => {
  const login = (password: string) =>
    world.call("/api/auth/login", { body: { email: "cy@example.com", password }, ...from("192.0.2.3") });
  for (let i = 0; i < 5; i++) expect((await login("password123")).status).toBe(200);
  const wrong = await Promise.all([1, 2, 3, 4, 5].map(() => login("wrong password")));
  expect(wrong.map((answer) => answer.status).sort()).toEqual([401, 401, 429, 429, 429]);
  expect((await login("password123")).status).toBe(429);
});

// A request from an address that floods is refused before anything is done for it: by an object on a plain workerd, by the
// platform's limiter where it is bound. Nobody else's is.
test.each([
  ["an object of ours", undefined],
  ["the platform", { REQUESTS: { namespace_id: "1001", simple: { limit: 5, period: 60 } } }],
] as const)("requests of any kind are counted by %s", async (_, ratelimits) => {
  const flooded = await World.start({ CONNECT_LIMIT_REQUESTS: "5/60" }, { ratelimits });
  try {
    const ask = (path: string, address: string) => flooded.call(path, from(address));
    const paths = [
      "/.well-known/jwks.json",
      "/api/auth/me",
      "/api/rooms/nowhere/ws",
      "/node/regions/eu-west",
      "/api/no",
    ];
    for (const path of paths) expect((await ask(path, "192.0.2.1")).status).not.toBe(429);
    for (const path of paths) {
      const { status, headers, body } = await ask(path, "192.0.2.1");
      expect(status).toBe(429);
      expect(body).toMatchObject({ type: "/problems/too-many-attempts" });
      expect(headers.get("ratelimit-policy")).toBe('"requests";q=5;w=60');
      const [, wait] = /^"requests";r=0;t=(\d+)$/.exec(headers.get("ratelimit") ?? "") ?? [];
      expect(headers.get("retry-after")).toBe(wait);
      expect(Number(wait)).toBeGreaterThan(0);
    }
    expect((await ask("/.well-known/jwks.json", "192.0.2.2")).status).toBe(200);
  } finally {
    await flooded.stop();
  }
});

test("a restart gives nothing back", async () => {
  const ada = await world.call<{ token: string }>("/api/auth/register", {
    body: account("restarted"),
    ...from("192.0.2.20"),
  });
  const create = () =>
    world.call("/api/rooms", { token: ada.body.token, body: { name: "Room" }, ...from("192.0.2.21") });
  const login = () =>
    world.call("/api/auth/login", {
      body: { email: "restarted@example.com", password: "wrong password" },
      ...from("192.0.2.22"),
    });
  for (let i = 0; i < 2; i++) {
    expect((await create()).status).toBe(200);
    expect((await login()).status).toBe(401);
  }
  await world.restart();
  expect((await create()).status).toBe(429);
  expect((await login()).status).toBe(429);
});
