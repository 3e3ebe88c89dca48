// Each operation of the HTTP API as the OpenAPI document has it: what it refuses, and that it says so. What the document lists as an
// answer has a case here, or none of its own and a test elsewhere that is named.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Problem, Room } from "../../web/sdk/src/generated/protocol.ts";
import { OPERATIONS as all, type Operation } from "./openapi.ts";
import { type Call, type Guest, type Person, World } from "./world.ts";

/** Refusals that take more than one request; each is tested there. */
const ELSEWHERE: Record<string, string> = {
  403: "api-keys.test.ts, guests.test.ts, door.test.ts, roles.test.ts, audit.test.ts, chat-keeping.test.ts, deletion.test.ts, bad-input.test.ts",
  409: "sign-in.test.ts, api-keys.test.ts, api-rooms.test.ts, webhooks.test.ts",
  410: "retirement.test.ts",
  426: "bad-input.test.ts",
  429: "limits.test.ts, directory.test.ts, flood.test.ts",
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

test("nothing else is refused than what has a case here or elsewhere", () => {
  const here = [400, 401, 404, 413, 415, 422];
  const refusals = new Set(all.flatMap(({ statuses }) => statuses.filter((status) => status >= 400)));
  const without = [...refusals].filter((status) => !here.includes(status) && !(status in ELSEWHERE));
  expect(without).toEqual([]);
});
