// Another password: by who knows the old one, and only by them.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Session } from "../../web/sdk/src/generated/protocol.ts";
import { cookiesOf, Person, World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

const login = (email: string, password: string) =>
  world.call<Session>("/api/auth/login", { body: { email, password } });

const change = (person: Person, password: string, newPassword: string) =>
  person.call("/api/account/password", { body: { password, newPassword } });

test("with the old one there is a new one, and all other sessions are over", async () => {
  const ada = await world.person("Ada");
  const { body, headers } = await login(ada.email, "password123");
  const other = new Person(world, body, cookiesOf(headers));
  expect((await change(ada, "password123", "a long way to Tipperary")).status).toBe(204);
  await world.restart();
  expect((await other.call("/api/auth/me")).status).toBe(401);
  const refresh = (cookie: string) =>
    world.call("/api/auth/refresh", { method: "POST", headers: { cookie } });
  expect((await refresh(other.cookies.refresh)).status).toBe(401);
  expect((await ada.call("/api/auth/me")).status).toBe(200);
  expect((await refresh(ada.cookies.refresh)).status).toBe(200);
  expect((await login(ada.email, "password123")).status).toBe(401);
  expect((await login(ada.email, "a long way to Tipperary")).status).toBe(200);
});

test("the old one is not known any more where it was verified a moment ago", async () => {
  const ada = await world.person("Ada");
  await login(ada.email, "password123");
  await change(ada, "password123", "another password");
  expect((await login(ada.email, "password123")).status).toBe(401);
});

test("a wrong one changes nothing, and is tried so often", async () => {
  const ada = await world.person("Ada");
  // What strangers guess is counted apart.
  for (let i = 0; i < 4; i++) await login(ada.email, "wrong password");
  for (let i = 0; i < 3; i++) {
    const wrong = await change(ada, "password124", "another password");
    // No 401: the session is good, and need not be renewed.
    expect(wrong).toMatchObject({
      status: 403,
      body: { type: "/problems/wrong-password", errors: [{ field: "password" }] },
    });
  }
  const limited = await change(ada, "password123", "another password");
  expect(limited.status).toBe(429);
  expect(Number(limited.headers.get("retry-after"))).toBeGreaterThan(0);
  expect((await ada.call("/api/auth/me")).status).toBe(200);
});

test("a new one has to be one, and nobody changes anybody else's", async () => {
  const [ada, room] = [await world.person("Ada"), await (await world.person("Bob")).createRoom()];
  expect(await change(ada, "password123", "short")).toMatchObject({
    status: 422,
    body: { errors: [{ field: "newPassword" }] },
  });
  expect(await ada.call("/api/account/password", { body: { password: "password123" } })).toMatchObject({
    status: 422,
    body: { errors: [{ field: "newPassword" }] },
  });
  const guest = await world.guest(room, "Gil");
  const body = { password: "password123", newPassword: "another password" };
  expect((await guest.call("/api/account/password", { body })).status).toBe(403);
  expect((await world.call("/api/account/password", { body })).status).toBe(401);
  expect((await login(ada.email, "password123")).status).toBe(200);
});
