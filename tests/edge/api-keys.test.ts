// Keys to the API: shown once, good for their scopes alone, and for nothing once they are revoked.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ApiKeyList, CreatedKey, KeyScope } from "../../web/sdk/src/generated/protocol.ts";
import { type Person, World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await World.start({ CONNECT_LIMIT_API_USER: "60/900" });
});
afterAll(() => world.stop());

const make = async (person: Person, scopes: KeyScope[], name = "Backend") =>
  (await person.call<CreatedKey>("/api/v1/keys", { body: { name, scopes } })).body;
const list = async (person: Person) => (await person.call<ApiKeyList>("/api/v1/keys")).body.keys;

test("a key is shown once, found by what it names, and kept as a hash", async () => {
  const ada = await world.person("Ada");
  const { secret, ...key } = await make(ada, ["rooms:read", "rooms:write", "rooms:read"]);
  expect(secret).toMatch(/^connect_[0-9a-f]{32}\.[0-9a-f]{16}\.[\w-]{43}$/);
  expect(key).toMatchObject({ name: "Backend", scopes: ["rooms:read", "rooms:write"], lastUsedAt: null });
  expect(await list(ada)).toEqual([key]);
  expect((await world.call("/api/v1/rooms", { token: secret })).status).toBe(200);
  expect((await list(ada))[0]?.lastUsedAt).toBeGreaterThan(0);
  const hidden = secret.split(".")[2] ?? "";
  await world.restart((disk) =>
    disk.each("DeveloperObject", (database) => {
      for (const row of database.prepare("SELECT * FROM keys").all())
        expect(JSON.stringify(row)).not.toContain(hidden);
    }),
  );
  expect((await world.call("/api/v1/rooms", { token: secret })).status).toBe(200);
});

test("a key does what it was made for, and no key makes another", async () => {
  const ada = await world.person("Ada");
  const { secret: token } = await make(ada, ["rooms:read"]);
  const refused = await world.call("/api/v1/rooms", { token, body: { name: "Room" } });
  expect(refused).toMatchObject({ status: 403, body: { type: "/problems/out-of-scope" } });
  expect(refused.body.detail).toContain("rooms:write");
  for (const path of ["/api/v1/keys", "/api/rooms", "/api/auth/me"])
    expect((await world.call(path, { token })).status).toBe(401);
  const body = { name: "More", scopes: ["rooms:write"] };
  expect((await world.call("/api/v1/keys", { token, body })).status).toBe(401);
});

test("what is no key opens nothing, and a revoked one nothing any more", async () => {
  const [ada, eve] = await Promise.all([world.person("Ada"), world.person("Eve")]);
  const { secret, id } = await make(ada, ["rooms:read"]);
  const [account, , hidden] = secret.split(".");
  const other = await make(eve, ["rooms:read"]);
  const [, otherId] = other.secret.split(".");
  for (const token of [
    "connect_",
    `${account}.${id}`,
    `${account}.${id}.${hidden?.slice(1)}`,
    `${account}.0000000000000000.${hidden}`,
    `${account}.${otherId}.${hidden}`,
    `connect_${"f".repeat(32)}.${id}.${hidden}`,
    `${secret}.more`,
  ]) {
    const { status, headers } = await world.call("/api/v1/rooms", { token });
    expect([token, status, headers.get("www-authenticate")]).toEqual([token, 401, "Bearer"]);
  }
  expect((await eve.call(`/api/v1/keys/${id}`, { method: "DELETE" })).status).toBe(404);
  expect((await world.call("/api/v1/rooms", { token: secret })).status).toBe(200);
  expect((await ada.call(`/api/v1/keys/${id}`, { method: "DELETE" })).status).toBe(204);
  expect((await world.call("/api/v1/rooms", { token: secret })).status).toBe(401);
  expect(await list(ada)).toEqual([]);
  expect((await world.call("/api/v1/rooms", { token: other.secret })).status).toBe(200);
});

test("an account has so many keys, each with a name and a scope", async () => {
  const ada = await world.person("Ada");
  for (const [body, field] of [
    [{ name: "", scopes: ["rooms:read"] }, "name"],
    [{ name: "x", scopes: [] }, "scopes"],
    [{ name: "x", scopes: ["everything"] }, "scopes[0]"],
    [{ name: "x" }, "scopes"],
  ] as const) {
    const { status, body: problem } = await ada.call("/api/v1/keys", { body });
    expect([status, problem.errors?.[0]?.field]).toEqual([422, field]);
  }
  for (let made = 0; made < 20; made += 1) await make(ada, ["rooms:read"]);
  const body = { name: "One more", scopes: ["rooms:read"] };
  expect(await ada.call("/api/v1/keys", { body })).toMatchObject({
    status: 409,
    body: { type: "/problems/enough" },
  });
});

test("an account's keys are limited together, and others' are not held up", async () => {
  const [ada, eve] = await Promise.all([world.person("Ada"), world.person("Eve")]);
  const keys = [await make(ada, ["rooms:read"]), await make(ada, ["rooms:read"])];
  let refused: Awaited<ReturnType<World["call"]>> | undefined;
  for (let asked = 0; asked < 70 && refused?.status !== 429; asked += 1)
    refused = await world.call("/api/v1/rooms/none", { token: keys[asked % 2]?.secret ?? "" });
  expect(refused?.status).toBe(429);
  expect(refused?.headers.get("ratelimit-policy")).toBe('"api-user";q=60;w=900');
  const { secret } = await make(eve, ["rooms:read"]);
  expect((await world.call("/api/v1/rooms", { token: secret })).status).toBe(200);
});
