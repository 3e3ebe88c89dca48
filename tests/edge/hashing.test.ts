// Passwords are hashed beside the Worker: whoever waits for a hash waits alone, and without a hasher nobody signs in by guesswork.
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Room, Session } from "../../web/sdk/src/generated/protocol.ts";
import { FakeHasher, Hasher, hash } from "./hasher.ts";
import { World } from "./world.ts";

let hasher: FakeHasher;
let world: World;
beforeAll(async () => {
  hasher = await FakeHasher.start();
  world = await World.start(hasher.variables);
});
afterEach(() => {
  hasher.release();
  hasher.answer = (wish) => [200, hash(wish)];
});
afterAll(async () => {
  await world.stop();
  await hasher.end();
});

const register = (email: string, password = "password123") =>
  world.call<Session>("/api/auth/register", { body: { email, password, name: "Somebody" } });
const signIn = (email: string, password: string) =>
  world.call<Session>("/api/auth/login", { body: { email, password } });
const busy = { status: 503, body: { type: "/problems/busy" } };
const forgetPasswords = () => world.restart();

test("while passwords are hashed everybody else is served, in the same room and in the same account, too", async () => {
  const [ada, ben] = await Promise.all([world.person("Ada"), world.person("Ben")]);
  const room = await ada.createRoom();
  const [host, guest] = [await ada.enter(room), await ben.enter(room)];
  const shut = await ada.createRoom("Shut");
  const owner = await ada.enter(shut);
  owner.socket.send({ type: "setPassword", password: "open sesame" });
  await owner.socket.next("event", ({ event }) => event.type === "settings");

  hasher.hold();
  const waiting = [
    ...["a", "b", "c"].map((name) => register(`${name}@example.com`)),
    signIn(ada.email, "wrong password"),
    signIn("nobody@example.com", "wrong password"),
    ben.call<Room>(`/api/rooms/${shut.id}/join`, { body: { password: "open sesame" } }),
  ];
  host.socket.send({ type: "setPassword", password: "a secret" });
  await expect.poll(() => hasher.held).toBe(7);
  const done = Promise.race(waiting).then(() => "done");

  expect((await ada.call("/api/auth/me")).status).toBe(200);
  expect((await ben.createRoom("Another")).name).toBe("Another");
  for (const { socket } of [host, guest]) {
    socket.send({ type: "chat", nonce: "n", text: "hello" });
    await socket.next("chatAccepted");
  }
  expect((await ben.call(`/api/rooms/${room.id}/join`, { body: {} })).status).toBe(200);
  expect(await Promise.race([done, "waiting"])).toBe("waiting");

  hasher.release();
  const answers = await Promise.all(waiting);
  expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 401, 401, 200]);
  await guest.socket.next("event", ({ event }) => event.type === "settings" && event.settings.hasPassword);
});

test("of two who register the same address at once one has it", async () => {
  hasher.hold();
  const both = [register("twice@example.com", "password one"), register("twice@example.com", "password two")];
  await expect.poll(() => hasher.held).toBe(2);
  hasher.release();
  const statuses = (await Promise.all(both)).map(({ status }) => status);
  expect(statuses.toSorted()).toEqual([201, 409]);
  const words = statuses[0] === 201 ? ["one", "two"] : ["two", "one"];
  await forgetPasswords();
  const tried = [];
  for (const word of words) tried.push((await signIn("twice@example.com", `password ${word}`)).status);
  expect(tried).toEqual([200, 401]);
});

test("without a hasher everybody is told to come back, nothing is counted, and then it goes on", async () => {
  const { email } = await world.person("Dan");
  await forgetPasswords();
  await hasher.end();
  // More often than an account or an address may fail.
  for (let i = 0; i < 5; i++) {
    const known = await signIn(email, "password123");
    expect(known).toMatchObject(busy);
    expect(Number(known.headers.get("retry-after"))).toBeGreaterThan(0);
    const unknown = await signIn("unknown@example.com", "password123");
    expect(unknown.body).toEqual(known.body);
  }
  expect(await register("late@example.com")).toMatchObject(busy);
  await hasher.listen();
  expect((await signIn(email, "password123")).status).toBe(200);
  expect((await register("late@example.com")).status).toBe(201);
});

test("a hasher that has too much to do says so to everybody, and in a room to the host", async () => {
  const ada = await world.person("Ada");
  const room = await ada.createRoom();
  const host = await ada.enter(room);
  hasher.answer = () => [503, ""];
  expect(await register("full@example.com")).toMatchObject(busy);
  host.socket.send({ type: "setPassword", password: "a secret" });
  const refused = { code: "rateLimited", of: "setPassword", retryAfterMs: 2_000 };
  expect(await host.socket.next("error")).toMatchObject(refused);
  expect((await world.call(`/api/rooms/${room.id}/door`)).body).toMatchObject({ password: false });
});

test("whoever stands in the hasher's place lets nobody in, and hears of no hash", async () => {
  const { email } = await world.person("Eve");
  await forgetPasswords();
  hasher.asked.length = 0;
  const other = { password: "x", setting: "$argon2id$v=19$m=19456,t=2,p=1$Y29ubmVjdC1uby1vbmUtIQ" };
  for (const lie of ["", "true", hash(other)]) {
    hasher.answer = () => [200, lie];
    expect((await signIn(email, "guess")).status).toBe(401);
  }
  for (const { setting } of hasher.asked) expect(setting.split("$")).toHaveLength(5);
});

test("the hasher is Argon2id as others have it, for whoever knows its key", async () => {
  const real = await Hasher.start();
  const services = { HASHER: { external: { address: real.address, http: {} } } };
  const beside = await World.start({ CONNECT_HASHER_KEY: real.key }, { services });
  const { email } = await beside.person("Ada");
  await beside.restart();
  const tried = [];
  for (const password of ["password124", "password123"])
    tried.push((await beside.call("/api/auth/login", { body: { email, password } })).status);
  expect(tried).toEqual([401, 200]);
  const wish = { password: "password123", setting: "$argon2id$v=19$m=19456,t=2,p=1$Y29ubmVjdC1uby1vbmUtIQ" };
  const ask = async (body: object, key = real.key) => {
    const headers = { authorization: `Bearer ${key}` };
    const init = { method: "POST", headers, body: JSON.stringify(body) };
    const response = await fetch(`http://${real.address}/`, init);
    return [response.status, await response.text()];
  };
  expect(await ask(wish)).toEqual([200, hash(wish)]);
  expect((await ask(wish, "another key"))[0]).toBe(401);
  expect((await ask({ ...wish, setting: wish.setting.replace("19456", "8") }))[0]).toBe(400);
  expect((await ask({ password: "x" }))[0]).toBe(400);
  expect(real.printed).toBe("");
  await real.end();
  await beside.stop();
});

test("a password that was hashed beside the Worker fits in the Worker, and the other way round", async () => {
  const inside = { CONNECT_HASHER: "" };
  const ada = await world.person("Ada");
  await world.restart(() => {}, inside);
  expect((await signIn(ada.email, "password123")).status).toBe(200);
  const bob = await world.person("Bob");
  await world.restart(() => {}, hasher.variables);
  expect((await signIn(bob.email, "password123")).status).toBe(200);
});
