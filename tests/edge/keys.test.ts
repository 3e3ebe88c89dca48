// Keys: those that sign access tokens are replaced, and nobody is signed out; the one that account ids come from is not.
import { randomBytes } from "node:crypto";
import { afterEach, expect, test } from "vitest";
import type { Session } from "../../web/sdk/src/generated/protocol.ts";
import { World } from "./world.ts";

let world: World;
afterEach(() => world.stop());

const secret = () => randomBytes(32).toString("base64url");
const [OLD, NEW] = [
  { kid: "2026-11", seed: secret() },
  { kid: "2026-12", seed: secret() },
];
const keys = (...all: object[]) => ({ CONNECT_SIGNING_KEYS: JSON.stringify(all) });
const kidOf = (token: string) =>
  JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString()).kid;
const published = async () =>
  (await world.call<{ keys: { kid: string }[] }>("/.well-known/jwks.json")).body.keys.map(({ kid }) => kid);

test("a key is replaced in two steps, and nobody is signed out", async () => {
  world = await World.start(keys(OLD));
  const ada = await world.person("Ada");
  const refresh = (cookie: string) =>
    world.call<Session>("/api/auth/refresh", { method: "POST", headers: { cookie } });
  expect(kidOf(ada.token)).toBe(OLD.kid);
  await world.restart(undefined, keys(NEW, OLD));
  expect(await published()).toEqual([NEW.kid, OLD.kid]);
  expect((await ada.call("/api/auth/me")).status).toBe(200);
  const bob = await world.person("Bob");
  expect(kidOf(bob.token)).toBe(NEW.kid);
  // An hour later no token of the old one is left.
  await world.restart(undefined, keys(NEW));
  expect(await published()).toEqual([NEW.kid]);
  expect((await bob.call("/api/auth/me")).status).toBe(200);
  expect((await ada.call("/api/auth/me")).status).toBe(401);
  const renewed = await refresh(ada.cookies.refresh);
  expect(renewed.status).toBe(200);
  expect(kidOf(renewed.body.token)).toBe(NEW.kid);
});

test("two keys of one id are a fault, and not a choice", async () => {
  world = await World.start(keys(NEW, { ...OLD, kid: NEW.kid }));
  expect((await world.call("/.well-known/jwks.json")).status).toBe(500);
});

test("under another id key nobody signs up or in, until the first one is back", async () => {
  const first = { CONNECT_ID_KEY: secret() };
  world = await World.start(first);
  const ada = await world.person("Ada");
  const own = { email: ada.email, password: "password123" };
  await world.restart(undefined, { CONNECT_ID_KEY: secret() });
  expect((await world.call("/api/auth/login", { body: own })).status).toBe(500);
  // Else there would be two accounts of one address.
  const anew = { ...own, name: "Ada" };
  expect((await world.call("/api/auth/register", { body: anew })).status).toBe(500);
  await world.restart(undefined, first);
  expect((await world.call("/api/auth/register", { body: anew })).status).toBe(409);
  expect((await world.call("/api/auth/login", { body: own })).status).toBe(200);
});
