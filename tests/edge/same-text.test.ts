// The same text in other bytes: addresses, passwords and names that people see as one are one, and accounts of earlier
// releases, which went by the bytes, are found all the same.
import { argon2Sync, createHmac, randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Session } from "../../web/sdk/src/generated/protocol.ts";
import { RECORDS } from "./former.ts";
import { World } from "./world.ts";

const ID_KEY = randomBytes(32).toString("base64url");
const DECOMPOSED = "Zu\u0308richsee";
const COMPOSED = "Z\u00fcrichsee";

let world: World;
beforeAll(async () => {
  world = await World.start({ CONNECT_ID_KEY: ID_KEY });
});
afterAll(() => world.stop());

const register = (email: string, password = "password123", name = "Ada") =>
  world.call<Session>("/api/auth/register", { body: { email, password, name } });
const login = (email: string, password = "password123") =>
  world.call<Session>("/api/auth/login", { body: { email, password } });

test("an account of an earlier release is found, and its password taken, by the bytes that were typed", async () => {
  const former = "jane\u0301@example.com";
  const id = createHmac("sha256", ID_KEY).update(former).digest("hex").slice(0, 32);
  const nonce = randomBytes(16);
  const options = { message: DECOMPOSED, nonce, parallelism: 1, tagLength: 32, memory: 19_456, passes: 2 };
  const base64 = (bytes: Buffer) => bytes.toString("base64").replace(/=+$/, "");
  const password = `$argon2id$v=19$m=19456,t=2,p=1$${base64(nonce)}$${base64(argon2Sync("argon2id", options))}`;
  const account = { user: { id, email: former, name: "Jane" }, password };
  // So that there are accounts on disk at all.
  expect((await register("first@example.com")).status).toBe(201);
  await world.restart((disk) =>
    disk.named("UserObject", id, (database) => {
      database.exec(RECORDS);
      database.prepare("INSERT INTO records VALUES ('account', '', ?)").run(JSON.stringify(account));
    }),
  );
  expect((await register(former)).status).toBe(409);
  expect((await login(former, DECOMPOSED)).body.user.id).toBe(id);
  // From now on it is kept as any other.
  await world.restart();
  // However often: none of it counts as a failure.
  for (let i = 0; i < 5; i++) expect((await login(former, COMPOSED)).body.user.id).toBe(id);
});

test.each([
  ["composed and decomposed", "jose\u0301@example.com", ["jos\u00e9@example.com", "JOS\u00c9@Example.com"]],
  [
    "by name and in punycode",
    "ada@m\u00fcnchen.example",
    ["ada@xn--mnchen-3ya.example", "Ada@MU\u0308NCHEN.example"],
  ],
  [
    "with what cannot be seen",
    "grace@example.com",
    ["gra\u200bce@example.com", "\ufeffgrace@exam\u00adple.com"],
  ],
  ["in full width", "alan@example.org", ["\uff41\uff4c\uff41\uff4e@example.org", "alan@example\u3002org"]],
])("an address %s is one account", async (_, email, others) => {
  const { body, status } = await register(email);
  expect(status).toBe(201);
  for (const other of others) {
    expect((await register(other)).status).toBe(409);
    expect((await login(other)).body.user).toEqual(body.user);
  }
});

test("a password is the same from every keyboard", async () => {
  expect((await register("keys@example.com", DECOMPOSED)).status).toBe(201);
  for (const password of [COMPOSED, DECOMPOSED]) {
    expect((await login("keys@example.com", password)).status).toBe(200);
  }
  expect((await login("keys@example.com", "Zurichsee")).status).toBe(401);
});

test("a name is composed", async () => {
  expect((await register("zoe@example.com", "password123", "Zoe\u0308")).body.user.name).toBe("Zo\u00eb");
});
