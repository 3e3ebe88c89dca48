// Mail: what a provider is sent and when it is sent again, and what the links in mails do, once.
import { afterEach, beforeEach, expect, test } from "vitest";
import type { AccountDetails, Session } from "../../web/sdk/src/generated/protocol.ts";
import { Provider } from "./provider.ts";
import { cookiesOf, type Person, World } from "./world.ts";

const RESET = /new password/;
const VERIFY = /Confirm/;
const CHANGED = /was changed/;

let world: World;
let provider: Provider;

beforeEach(async () => {
  provider = await Provider.start();
  world = await World.start(provider.variables);
});
afterEach(async () => {
  await world.stop();
  await provider.stop();
});

const login = (email: string, password: string, cookie = "") =>
  world.call<Session>("/api/auth/login", { body: { email, password }, headers: { cookie } });
const askToReset = (email: string) => world.call("/api/auth/reset", { body: { email } });
const reset = (token: string, password: string) =>
  world.call("/api/auth/reset/confirm", { body: { token, password } });
const verify = (token: string) => world.call("/api/auth/verify", { body: { token } });
const details = async (person: Person) => (await person.call<AccountDetails>("/api/account")).body;
const BAD_LINK = { status: 403, body: { type: "/problems/bad-link" } };

test("a mail is what providers take, and says nothing that anybody wrote", async () => {
  const email = "ada@example.com";
  await world.call("/api/auth/register", {
    body: { email, password: "password123", name: "<b>Buy this</b>" },
  });
  const mail = await provider.mail(email, VERIFY);
  expect(mail).toMatchObject({ from: "Connect <hello@connect.example>", to: [email] });
  expect(mail.text).toMatch(/^https:\/\/connect\.example\/verify#[\w.-]+$/m);
  expect(JSON.stringify(mail)).not.toContain("Buy");
  expect(provider.asked[0]).toMatchObject({
    authorization: "Bearer key of the provider",
    "content-type": "application/json",
    "idempotency-key": expect.stringMatching(/^[0-9a-f]{32}$/),
  });
});

test("a link confirms the address, once", async () => {
  const [ada, eve] = [await world.person("Ada"), await world.person("Eve")];
  expect(await details(ada)).toMatchObject({ hasPassword: true, mail: true });
  expect((await details(ada)).verifiedAt).toBeUndefined();
  const token = await provider.token(ada.email, VERIFY);
  const forged = token.replace(/.{4}$/, "AAAA");
  const [, signature] = token.split(".");
  for (const bad of ["", "x", forged, `${eve.user.id}.${signature}`, token.slice(0, -1)])
    expect(await verify(bad)).toMatchObject(BAD_LINK);
  // Of another kind.
  expect(await reset(token, "another password")).toMatchObject(BAD_LINK);
  expect((await verify(token)).status).toBe(204);
  expect((await details(ada)).verifiedAt).toBeGreaterThan(0);
  expect(await verify(token)).toMatchObject(BAD_LINK);
  // There is nothing more to confirm, and no mail about it.
  const before = provider.mails.length;
  expect((await ada.call("/api/account/verification", { method: "POST" })).status).toBe(204);
  await askToReset(ada.email);
  await provider.mail(ada.email, RESET);
  expect(provider.mails).toHaveLength(before + 1);
});

test("a link leads to a new password, once, and ends all sessions", async () => {
  const ada = await world.person("Ada");
  const other = await login(ada.email, "password123");
  expect((await askToReset(` ${ada.email.toUpperCase()} `)).status).toBe(204);
  const token = await provider.token(ada.email, RESET);
  expect(await reset(token, "short")).toMatchObject({
    status: 422,
    body: { errors: [{ field: "password" }] },
  });
  expect((await reset(token, "a long way to Tipperary")).status).toBe(204);
  expect(await reset(token, "yet another one")).toMatchObject(BAD_LINK);
  expect((await ada.call("/api/auth/me")).status).toBe(401);
  for (const cookie of [ada.cookies.refresh, cookiesOf(other.headers).refresh])
    expect((await world.call("/api/auth/refresh", { method: "POST", headers: { cookie } })).status).toBe(401);
  expect((await login(ada.email, "password123")).status).toBe(401);
  const { body } = await login(ada.email, "a long way to Tipperary");
  // Who has the mail has the address.
  const shown = await world.call<AccountDetails>("/api/account", { token: body.token });
  expect(shown.body.verifiedAt).toBeGreaterThan(0);
  await provider.mail(ada.email, CHANGED);
});

test("a link is good until another one is asked for, or it is too old", async () => {
  const ada = await world.person("Ada");
  await askToReset(ada.email);
  const first = await provider.token(ada.email, RESET);
  await askToReset(ada.email);
  await expect.poll(() => provider.mails.filter((mail) => RESET.test(mail.subject)).length).toBe(2);
  const second = await provider.token(ada.email, RESET);
  expect(second).not.toBe(first);
  expect(await reset(first, "another password")).toMatchObject(BAD_LINK);
  await world.restart((disk) => {
    disk.each("UserObject", (database) => {
      const tables = database.prepare("SELECT name FROM sqlite_master WHERE name = 'mails'").all();
      if (tables.length > 0) database.exec(`UPDATE mails SET expires = ${Date.now()} WHERE kind = 'reset'`);
    });
  });
  expect(await reset(second, "another password")).toMatchObject(BAD_LINK);
  expect((await login(ada.email, "password123")).status).toBe(200);
});

test("nothing tells whether an address has an account, nor that too much was asked", async () => {
  const ada = await world.person("Ada");
  const answers = [];
  for (const email of ["nobody@example.com", "no address", ...Array(5).fill(ada.email)])
    answers.push(await askToReset(email));
  for (const { status, body } of answers) expect([status, body]).toEqual([204, undefined]);
  // Three of an hour, beside the one that confirms.
  await expect
    .poll(() => provider.mails.filter((mail) => RESET.test(mail.subject)).length)
    .toBeGreaterThan(0);
  const latest = await provider.token(ada.email, RESET);
  expect(provider.mails.filter((mail) => RESET.test(mail.subject)).length).toBeLessThanOrEqual(3);
  expect(provider.mails.every((mail) => mail.to.join() === ada.email)).toBe(true);
  expect(latest).toContain(ada.user.id);
});

test("who was kept out by guesses is in again with a new password", async () => {
  const ada = await world.person("Ada");
  for (let i = 0; i < 3; i++) await login(ada.email, "wrong password");
  expect((await login(ada.email, "password123")).status).toBe(429);
  await askToReset(ada.email);
  await reset(await provider.token(ada.email, RESET), "another password");
  expect((await login(ada.email, "another password")).status).toBe(200);
});

test("mails are limited for an account and for an address", async () => {
  const ada = await world.person("Ada");
  const ask = () => ada.call("/api/account/verification", { method: "POST" });
  for (let i = 0; i < 3; i++) expect((await ask()).status).toBe(204);
  const limited = await ask();
  expect(limited.status).toBe(429);
  expect(limited.headers.get("ratelimit-policy")).toContain('"mail"');
  await world.restart(undefined, { CONNECT_LIMIT_MAIL_ADDRESS: "1/900", CONNECT_LIMIT_ADDRESS: "2/900" });
  const headers = { "cf-connecting-ip": "192.0.2.1" };
  const body = { email: "nobody@example.com" };
  expect((await world.call("/api/auth/reset", { body, headers })).status).toBe(204);
  expect((await world.call("/api/auth/reset", { body, headers })).status).toBe(429);
  // Nobody tries links at will, either.
  const bad = { token: `${ada.user.id}.AAAA` };
  for (const status of [403, 403, 429])
    expect((await world.call("/api/auth/verify", { body: bad, headers })).status).toBe(status);
});

test("a mail that the provider did not take is sent again as the same, also after a restart", async () => {
  provider.answers.push(503, 302);
  const ada = await world.person("Ada");
  await expect.poll(() => provider.asked.length).toBe(1);
  await world.restart();
  const token = await provider.token(ada.email, VERIFY);
  expect(provider.asked).toHaveLength(3);
  expect(new Set(provider.asked.map((headers) => headers["idempotency-key"])).size).toBe(1);
  expect((await verify(token)).status).toBe(204);
}, 30_000);

test("a mail that it will never take is given up", async () => {
  provider.answers.push(422);
  const ada = await world.person("Ada");
  await expect.poll(() => provider.asked.length).toBe(1);
  // The next one is another.
  await ada.call("/api/account/verification", { method: "POST" });
  await provider.mail(ada.email, VERIFY);
  const [refused, taken] = provider.asked.map((headers) => headers["idempotency-key"]);
  expect(provider.asked).toHaveLength(2);
  expect(taken).not.toBe(refused);
});

test("where it is asked for, an address has to be confirmed before anything is done in rooms", async () => {
  const bob = await world.person("Bob");
  const room = await bob.createRoom();
  await world.restart(undefined, { CONNECT_VERIFIED_ONLY: "yes" });
  const ada = await world.person("Ada");
  const UNVERIFIED = { status: 403, body: { type: "/problems/unverified" } };
  expect(await ada.call("/api/rooms", { body: { name: "Room" } })).toMatchObject(UNVERIFIED);
  expect(await ada.call(`/api/rooms/${room.id}/join`, { body: {} })).toMatchObject(UNVERIFIED);
  // What is about the account itself goes on, and so do guests.
  expect((await ada.call("/api/account/sessions")).status).toBe(200);
  const guest = await world.guest(room, "Gil");
  expect((await guest.call(`/api/rooms/${room.id}/join`, { body: {} })).status).toBe(200);
  await verify(await provider.token(ada.email, VERIFY));
  expect((await ada.call("/api/rooms", { body: { name: "Room" } })).status).toBe(200);
  expect((await ada.call(`/api/rooms/${room.id}/join`, { body: {} })).status).toBe(200);
});

test("without a provider nobody is promised a mail, and there is no page of mails", async () => {
  await world.restart(undefined, { CONNECT_MAIL_URL: "" });
  const ada = await world.person("Ada");
  const NO_MAIL = { status: 503, body: { type: "/problems/no-mail" } };
  expect(await askToReset(ada.email)).toMatchObject(NO_MAIL);
  expect(await ada.call("/api/account/verification", { method: "POST" })).toMatchObject(NO_MAIL);
  expect((await details(ada)).mail).toBe(false);
  expect((await fetch(`${world.url}/dev/mail`)).status).toBe(404);
});

test("on a development machine mails stand on a page, and nowhere once there is a provider", async () => {
  await world.restart(undefined, { CONNECT_MAIL_URL: "", CONNECT_MAIL_DEVELOPMENT: "yes" });
  const ada = await world.person("Ada");
  const page = async () =>
    (await fetch(`${world.url}/dev/mail`, { headers: { accept: "text/html" } })).text();
  await expect.poll(page).toContain(ada.email);
  const [, token = ""] = /href="[^"#]*\/verify#([^"]+)"/.exec(await page()) ?? [];
  expect((await verify(token)).status).toBe(204);
  await world.restart(undefined, { ...provider.variables, CONNECT_MAIL_DEVELOPMENT: "yes" });
  expect((await fetch(`${world.url}/dev/mail`)).status).toBe(404);
});
