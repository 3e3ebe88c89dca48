// Sessions: listed with what they are, and ended one by one or all but one's own; their tokens end with them.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Session, SignIn, SignInList } from "../../web/sdk/src/generated/protocol.ts";
import { cookiesOf, Person, World } from "./world.ts";

const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0";
const CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/156.0 Safari/537.36";

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

/** The same account from another browser. */
async function again(person: Person, agent = CHROME, password = "password123"): Promise<Person> {
  const { body, headers } = await world.call<Session>("/api/auth/login", {
    body: { email: person.email, password },
    headers: { "user-agent": agent },
  });
  return new Person(world, body, cookiesOf(headers));
}

async function sessions(person: Person): Promise<SignIn[]> {
  return (await person.call<SignInList>("/api/account/sessions")).body.sessions;
}

const refresh = (person: Person) =>
  world.call<Session>("/api/auth/refresh", { method: "POST", headers: { cookie: person.cookies.refresh } });

/** What somebody with this token is answered, wherever an account is asked. */
async function answers(person: Person, room: string): Promise<number[]> {
  const asked = [
    person.call("/api/auth/me"),
    person.call("/api/rooms"),
    person.call("/api/rooms", { body: { name: "New" } }),
    person.call(`/api/rooms/${room}/join`, { body: {} }),
    person.call(`/api/rooms/${room}/chat/export`),
    person.call(`/api/rooms/${room}/audit`),
    person.call("/api/account/sessions"),
  ];
  return (await Promise.all(asked)).map(({ status }) => status);
}
const GOOD = [200, 200, 200, 200, 200, 200, 200];
const OVER = [401, 401, 401, 401, 401, 401, 401];

test("sessions are listed by when they were used, with a coarse word for the browser", async () => {
  const ada = await world.person("Ada");
  const [first, second] = [await again(ada, FIREFOX), await again(ada)];
  const before = Date.now();
  expect((await refresh(first)).status).toBe(200);
  const list = await sessions(second);
  expect(list.map(({ browser, current }) => [browser, current])).toEqual([
    ["Firefox on Linux", false],
    ["Chrome on Windows", true],
    ["A program", false],
  ]);
  expect(list[0]?.usedAt).toBeGreaterThanOrEqual(before);
  expect(list[0]?.createdAt).toBeLessThanOrEqual(before);
  expect((await sessions(ada)).map(({ current }) => current)).toEqual([false, false, true]);
});

test("a session that is ended is over wherever the account is asked, and no other one is", async () => {
  const ada = await world.person("Ada");
  const room = (await ada.createRoom()).id;
  const [stolen, other] = [await again(ada), await again(ada)];
  const own = (await sessions(stolen)).find(({ current }) => current);
  expect(await answers(stolen, room)).toEqual(GOOD);
  const path = `/api/account/sessions/${own?.id}`;
  // Nobody else's.
  const eve = await world.person("Eve");
  expect((await eve.call(path, { method: "DELETE" })).status).toBe(404);
  expect((await ada.call(path, { method: "DELETE" })).status).toBe(204);
  expect((await ada.call(path, { method: "DELETE" })).status).toBe(404);
  await world.restart();
  expect(await answers(stolen, room)).toEqual(OVER);
  expect((await refresh(stolen)).status).toBe(401);
  expect(await answers(other, room)).toEqual(GOOD);
  expect((await refresh(other)).status).toBe(200);
});

test("all other sessions are ended at once, those too that made room for later ones", async () => {
  const ada = await world.person("Ada");
  const room = (await ada.createRoom()).id;
  let latest = ada;
  for (let i = 0; i < 20; i++) latest = await again(ada);
  // Its refresh token is void, its access token is good for as long as it is.
  expect((await refresh(ada)).status).toBe(401);
  expect((await ada.call("/api/auth/me")).status).toBe(200);
  expect((await latest.call("/api/account/sessions", { method: "DELETE" })).status).toBe(204);
  expect(await sessions(latest)).toHaveLength(1);
  expect(await answers(ada, room)).toEqual(OVER);
  expect(await answers(latest, room)).toEqual(GOOD);
  expect((await refresh(latest)).status).toBe(200);
});

test("who signs out leaves no access token behind, and neither does a refresh token that was stolen", async () => {
  const ada = await world.person("Ada");
  const [out, reused] = [await again(ada), await again(ada)];
  await world.call("/api/auth/logout", { method: "POST", headers: { cookie: out.cookies.refresh } });
  expect((await out.call("/api/auth/me")).status).toBe(401);
  const second = cookiesOf((await refresh(reused)).headers);
  await world.call("/api/auth/refresh", { method: "POST", headers: { cookie: second.refresh } });
  expect((await reused.call("/api/auth/me")).status).toBe(200);
  expect((await refresh(reused)).status).toBe(401);
  expect((await reused.call("/api/auth/me")).status).toBe(401);
  expect((await ada.call("/api/auth/me")).status).toBe(200);
});
