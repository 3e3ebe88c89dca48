// Each operation of the HTTP API as the OpenAPI document has it: what it refuses, and that it says so. What the document lists as an
// answer has a case here, or none of its own and a test elsewhere that is named.
import { get } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { EndpointSecret, Problem, Room } from "../../web/sdk/src/generated/protocol.ts";
import { nodeToken } from "./fake-node.ts";
import { OPERATIONS as all, type Operation } from "./openapi.ts";
import { type Call, type Guest, type Person, World } from "./world.ts";

/** Refusals that take more than one request; each is tested there. */
const ELSEWHERE: Record<string, string> = {
  403: "api-keys.test.ts, guests.test.ts, door.test.ts, roles.test.ts, audit.test.ts, chat-keeping.test.ts, deletion.test.ts, bad-input.test.ts",
  503: "hashing.test.ts, mail.test.ts",
};

let world: World;
let ada: Person;
let guest: Guest;
let room: Room;
beforeAll(async () => {
  world = await World.start();
  ada = await world.person("Ada");
  room = await ada.createRoom();
  guest = await world.guest(room, "Guest");
});
afterAll(() => world.stop());

const at = ({ path }: Operation, id = room.id) => path.replace("{id}", id).replace("{region}", "eu-west");
/** The operation with this status among its answers. */
const listing = (status: number) => all.filter(({ statuses }) => statuses.includes(status));
const named = (of: Operation[]) => of.map((operation) => [operation.id, operation] as const);
const takesBody = (operation: Operation) => operation.takesBody;

test("the document is read", () => {
  expect(all.length).toBeGreaterThan(15);
  expect(all.every(({ id, statuses }) => id !== "" && statuses.length > 0)).toBe(true);
});

test.each(named(listing(401)))("%s: no token, or a wrong one", async (id, operation) => {
  const call: Call = { method: operation.method, ...(takesBody(operation) && { body: {} }) };
  // These two are about the session itself.
  const wrong = { email: "nobody@example.com", password: "wrong password" };
  if (id === "login") call.body = wrong;
  if (id === "refresh") call.headers = { cookie: "__Host-connect_refresh=a.b.c" };
  expect((await world.call(at(operation), call)).status).toBe(401);
  if (id === "login" || id === "refresh" || id === "logout") return;
  expect((await world.call(at(operation), { ...call, token: "a.b.c" })).status).toBe(401);
});

/** What guests may do as well, in their room. */
const FOR_GUESTS = ["getRoom", "joinRoom", "tellJoin", "getIceServers"];
const forAccounts = all.filter(({ id, security }) => security.includes("token") && !FOR_GUESTS.includes(id));
test.each(named(forAccounts))("%s: a guest's token", async (_, operation) => {
  const call: Call = { method: operation.method, ...(takesBody(operation) && { body: {} }) };
  const answer = await guest.call(at(operation), call);
  expect(answer).toMatchObject({ status: 403, body: { type: "/problems/guest" } });
});

// What is told of a join is counted and kept in traces: no room is asked for it.
const ofRooms = listing(404).filter(
  ({ id, path, tag }) => path.includes("{id}") && tag !== "nodes" && id !== "tellJoin",
);
test.each(named(ofRooms))("%s: a room that there is not", async (id, operation) => {
  const body = { name: "A", settings: {}, type: "end", data: "x" };
  const call: Call = { method: operation.method, ...(takesBody(operation) && { body }) };
  if (id === "connectRoom") call.headers = {};
  for (const missing of ["bako-tuvi-remo-dasu", "no%20id"]) {
    const answer = await ada.call(at(operation, missing), call);
    // A WebSocket is asked for before a room.
    expect(answer.status).toBe(id === "connectRoom" ? 426 : 404);
  }
});

test.each(named(listing(415)))(
  "%s: a body that is no JSON, and one that does not say that it is",
  async (_, operation) => {
    const headers = { cookie: ada.cookies.refresh };
    const broken = await ada.call(at(operation), { method: operation.method, raw: "{", headers });
    expect(broken.status).toBe(400);
    const unsaid = await ada.call(at(operation), {
      method: operation.method,
      raw: "{}",
      headers: { ...headers, "content-type": "text/plain" },
    });
    expect(unsaid.status).toBe(415);
  },
);

test.each(named(listing(413)))("%s: a body that is too large", async (_, operation) => {
  const raw = JSON.stringify({ name: "x".repeat(70_000) });
  const headers = { cookie: ada.cookies.refresh };
  expect((await ada.call(at(operation), { method: operation.method, raw, headers })).status).toBe(413);
});

test.each(named(listing(422).filter(takesBody)))("%s: a field of the wrong kind", async (_, operation) => {
  const body = { email: 5, name: 5, user: 5, password: 5, region: 5, url: 5 };
  const headers = { cookie: ada.cookies.refresh };
  const answer = await ada.call<Problem>(at(operation), { method: operation.method, body, headers });
  expect(answer.status).toBe(422);
  expect(answer.body.errors?.length).toBeGreaterThan(0);
});

/** Asks for a WebSocket, by HTTP: what refuses it is to be seen. */
const asWebSocket = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
};
/** What passes each check before the room, the account or the limit is asked. */
const BODIES: Record<string, object> = {
  comeAsGuest: { name: "Guest" },
  createKey: { name: "Key", scopes: ["rooms:read"] },
  createOwnRoom: { name: "Room" },
  createToken: { name: "Guest" },
  createWebhook: { url: "https://hooks.example/", events: ["room.started"] },
  moderateRoom: { type: "end" },
  sendData: { data: "x" },
};

/** The operation as it is asked for by who may do it. */
function asked(operation: Operation, more: Call = {}): Call {
  const { id, method, tag } = operation;
  const token = tag === "nodes" ? nodeToken("eu-1", "eu-west") : ada.token;
  const body = takesBody(operation) ? (BODIES[id] ?? {}) : undefined;
  return { method, token, body, ...more };
}

test.each(named(listing(426)))("%s: no WebSocket is asked for", async (_, operation) => {
  const answer = await world.call(at(operation), asked(operation));
  expect(answer).toMatchObject({ status: 426, body: { type: "/problems/upgrade-required" } });
});

test("all: more than is let through of an address", async () => {
  // Of another address than the rest of this file.
  const headers = { "cf-connecting-ip": "192.0.2.77" };
  const small = await World.start({ CONNECT_LIMIT_REQUESTS: "1/900" });
  await small.call("/api/auth/me", { headers });
  const unlimited: string[] = [];
  for (const operation of all) {
    const { status, headers: told } = await small.call(at(operation), asked(operation, { headers }));
    const says = told.get("ratelimit-policy") === '"requests";q=1;w=900' && told.get("retry-after") !== null;
    if (status !== 429 || !says) unlimited.push(`${operation.id}: ${status}`);
  }
  await small.stop();
  expect(unlimited).toEqual([]);
  expect(all.filter((operation) => !listing(429).includes(operation))).toEqual([]);
});

test("each of a room: one that was retired", async () => {
  const old = await ada.createRoom();
  await world.restart((disk) =>
    disk.object("RoomObject", ["room", old.id], (database) =>
      database.prepare("UPDATE room SET used_at = ?").run(Date.now() - 91 * 86_400_000),
    ),
  );
  await expect.poll(async () => (await ada.call(`/api/rooms/${old.id}`)).status).toBe(410);
  const others: string[] = [];
  for (const operation of listing(410)) {
    const path = at(operation, old.id).replace("{participant}", "0123456789abcdef");
    const seen = path.endsWith("/ws")
      ? await refusedSocket(`${path}?ticket=x`, operation)
      : (await world.call(path, asked(operation))).status;
    if (seen !== 410) others.push(`${operation.id}: ${seen}`);
  }
  expect(others).toEqual([]);
});

/** With what the request for a WebSocket is refused. */
function refusedSocket(path: string, operation: Operation): Promise<number | undefined> {
  const { token } = asked(operation);
  return new Promise((resolve, reject) => {
    const headers = { ...asWebSocket, authorization: `Bearer ${token}` };
    const request = get(world.url + path, { headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.on("upgrade", (response, socket) => {
      socket.destroy();
      resolve(response.statusCode);
    });
    request.on("error", reject);
  });
}

/** How each operation comes to what stands against it; those that may be sent again are under way still. */
const CONFLICTS: Record<string, (operation: Operation) => Promise<number | undefined>> = {
  register: async () => {
    const body = { email: ada.email, password: "password123", name: "Ada" };
    return (await world.call("/api/auth/register", { body })).status;
  },
  refresh: (operation) => ofAnother(operation),
  logout: (operation) => ofAnother(operation),
  createKey: async (operation) => {
    let status = 0;
    // Twenty are enough.
    for (let i = 0; i < 21; i++) status = (await ada.call(at(operation), asked(operation))).status;
    return status;
  },
  connectNodeToRoom: (operation) => refusedSocket(`${at(operation)}?epoch=7`, operation),
};

/** The cookie is of another account than the page says. */
async function ofAnother(operation: Operation): Promise<number> {
  const headers = { cookie: ada.cookies.refresh };
  const body = { user: (await world.person("Bob")).user.id };
  return (await world.call(at(operation), { method: "POST", body, headers })).status;
}

const once = all.filter(({ parameters }) => parameters.includes("Idempotency-Key"));
test.each(named(listing(409).filter((operation) => !once.includes(operation))))(
  "%s: what stands against it",
  async (id, operation) => {
    expect(await CONFLICTS[id]?.(operation)).toBe(409);
  },
);

test("each that is done once: while the first with its key is under way", async () => {
  const eve = await world.person("Eve");
  const own = await eve.createRoom();
  const hook = await eve.call<EndpointSecret>("/api/v1/webhooks", { body: BODIES.createWebhook });
  const ask = (operation: Operation) => {
    const path = at(operation, own.id).replace("{webhook}", hook.body.id);
    const headers = { "idempotency-key": operation.id };
    return eve.call(path, asked(operation, { headers, token: eve.token }));
  };
  const first: [string, number][] = [];
  for (const operation of once) first.push([operation.id, (await ask(operation)).status]);
  // As the store is while a first one has no answer.
  await world.restart((disk) =>
    disk.each("DeveloperObject", (database) =>
      database.prepare("UPDATE requests SET status = NULL, body = NULL, at = ?").run(Date.now()),
    ),
  );
  const others: unknown[] = [];
  for (const operation of once) {
    const { status, body } = await ask(operation);
    if (status !== 409 || body.type !== "/problems/under-way") others.push([operation.id, status, body]);
  }
  expect(others, JSON.stringify(first)).toEqual([]);
  expect(once.filter((operation) => !listing(409).includes(operation))).toEqual([]);
});

test("nothing else is refused than what has a case here or elsewhere", () => {
  const here = [400, 401, 404, 409, 410, 413, 415, 422, 426, 429];
  const refusals = new Set(all.flatMap(({ statuses }) => statuses.filter((status) => status >= 400)));
  const without = [...refusals].filter((status) => !here.includes(status) && !(status in ELSEWHERE));
  expect(without).toEqual([]);
});
