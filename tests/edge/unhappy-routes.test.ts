// Each operation of the HTTP API as docs/openapi.yaml has it: what it refuses, and that it says so. What the document lists as an
// answer has a case here, or none of its own and a test elsewhere that is named.
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Problem, Room } from "../../web/sdk/src/generated/protocol.ts";
import { type Call, type Guest, type Person, World } from "./world.ts";

interface Operation {
  id: string;
  method: string;
  path: string;
  /** The answers that the document lists. */
  statuses: number[];
}

/** The document's operations, by its indentation. */
function operations(): Operation[] {
  const text = readFileSync(new URL("../../docs/openapi.yaml", import.meta.url), "utf8");
  const [paths = ""] = text.split("\ncomponents:");
  const found: Operation[] = [];
  let path = "";
  for (const line of paths.split("\n")) {
    const [, address] = /^ {2}(\/\S+):$/.exec(line) ?? [];
    const [, method] = /^ {4}(get|post|delete):$/.exec(line) ?? [];
    const [, id] = /^ {6}operationId: (\w+)$/.exec(line) ?? [];
    const [, status] = /^ {8}"(\d+)":/.exec(line) ?? [];
    const last = found.at(-1);
    if (address !== undefined) path = address;
    else if (method !== undefined) found.push({ id: "", method: method.toUpperCase(), path, statuses: [] });
    else if (id !== undefined && last !== undefined) last.id = id;
    else if (status !== undefined) last?.statuses.push(Number(status));
  }
  return found;
}

/** Refusals that take more than one request; each is tested there. */
const ELSEWHERE: Record<string, string> = {
  403: "guests.test.ts, door.test.ts, roles.test.ts, audit.test.ts, chat-keeping.test.ts, deletion.test.ts, bad-input.test.ts",
  409: "sign-in.test.ts",
  410: "retirement.test.ts",
  426: "bad-input.test.ts",
  429: "limits.test.ts, directory.test.ts, flood.test.ts",
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

const all = operations();
const at = ({ path }: Operation, id = room.id) => path.replace("{id}", id);
/** The operation with this status among its answers. */
const listing = (status: number) => all.filter(({ statuses }) => statuses.includes(status));
const named = (of: Operation[]) => of.map((operation) => [operation.id, operation] as const);
const takesBody = ({ method }: Operation) => method === "POST";

test("the document is read", () => {
  expect(all.length).toBeGreaterThan(15);
  expect(all.every(({ id, statuses }) => id !== "" && statuses.length > 0)).toBe(true);
});

test.each(named(all))("%s: a method that there is not", async (_, operation) => {
  const answer = await world.call(at(operation), { method: "PATCH" });
  expect(answer.status).toBe(405);
  expect(answer.headers.get("allow")).toContain(operation.method);
});

test.each(named(listing(401)))("%s: no token, or a wrong one", async (id, operation) => {
  const call: Call = takesBody(operation) ? { method: "POST", body: {} } : { method: operation.method };
  // These two are about the session itself.
  const wrong = { email: "nobody@example.com", password: "wrong password" };
  if (id === "login") call.body = wrong;
  if (id === "refresh") call.headers = { cookie: "__Host-connect_refresh=a.b.c" };
  expect((await world.call(at(operation), call)).status).toBe(401);
  if (id === "login" || id === "refresh" || id === "logout") return;
  expect((await world.call(at(operation), { ...call, token: "a.b.c" })).status).toBe(401);
});

const forAccounts = all.filter(
  ({ id, path, statuses }) =>
    statuses.includes(401) &&
    !["getRoom", "joinRoom", "getIceServers"].includes(id) &&
    !path.startsWith("/api/auth/"),
);
test.each(named(forAccounts))("%s: a guest's token", async (_, operation) => {
  const call: Call = takesBody(operation) ? { body: {} } : { method: operation.method };
  const answer = await guest.call(at(operation), call);
  expect(answer).toMatchObject({ status: 403, body: { type: "/problems/guest" } });
});

test.each(named(listing(404)))("%s: a room that there is not", async (id, operation) => {
  const call: Call = takesBody(operation) ? { body: { name: "A" } } : { method: operation.method };
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
    const broken = await ada.call(at(operation), { method: "POST", raw: "{", headers });
    expect(broken.status).toBe(400);
    const unsaid = await ada.call(at(operation), {
      method: "POST",
      raw: "{}",
      headers: { ...headers, "content-type": "text/plain" },
    });
    expect(unsaid.status).toBe(415);
  },
);

test.each(named(listing(413)))("%s: a body that is too large", async (_, operation) => {
  const raw = JSON.stringify({ name: "x".repeat(70_000) });
  const headers = { cookie: ada.cookies.refresh };
  expect((await ada.call(at(operation), { method: "POST", raw, headers })).status).toBe(413);
});

test.each(named(listing(422).filter(takesBody)))("%s: a field of the wrong kind", async (_, operation) => {
  const body = { email: 5, name: 5, user: 5, password: 5, region: 5 };
  const headers = { cookie: ada.cookies.refresh };
  const answer = await ada.call<Problem>(at(operation), { body, headers });
  expect(answer.status).toBe(422);
  expect(answer.body.errors?.length).toBeGreaterThan(0);
});

test("nothing else is refused than what has a case here or elsewhere", () => {
  const here = [400, 401, 404, 405, 413, 415, 422];
  const refusals = new Set(all.flatMap(({ statuses }) => statuses.filter((status) => status >= 400)));
  const without = [...refusals].filter((status) => !here.includes(status) && !(status in ELSEWHERE));
  expect(without).toEqual([]);
});
