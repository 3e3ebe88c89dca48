// Methods: at each address of the OpenAPI document those that there are, and the way to learn of them; for pages of other origins, too.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Problem, Room } from "../../web/sdk/src/generated/protocol.ts";
import { OPERATIONS } from "./openapi.ts";
import { type Person, World } from "./world.ts";

/** An origin that CONNECT_ORIGINS lists. */
const EMBEDDER = "https://embedder.example";
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "PROPFIND"];

let world: World;
let ada: Person;
let room: Room;
beforeAll(async () => {
  world = await World.start();
  ada = await world.person("Ada");
  room = await ada.createRoom();
});
afterAll(() => world.stop());

const methodsOf = (path: string) => OPERATIONS.filter((of) => of.path === path).map(({ method }) => method);
/** What `Allow` is to name. */
const allowed = (path: string) =>
  [...methodsOf(path).flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method])), "OPTIONS"].sort();
const named = (header: string | null) => header?.split(", ").sort();
const at = (path: string) => path.replace("{id}", room.id).replace(/\{\w+\}/g, "none");
const PATHS = [...new Set(OPERATIONS.map(({ path }) => path))];

test.each(PATHS)("%s: any other method is answered by those that there are", async (path) => {
  for (const method of METHODS.filter((method) => !allowed(path).includes(method))) {
    const answer = await ada.call<Problem>(at(path), { method });
    expect(answer.status, method).toBe(405);
    if (method !== "HEAD") expect(answer.body.type).toBe("/problems/method-not-allowed");
    expect(named(answer.headers.get("allow"))).toEqual(allowed(path));
  }
});

test.each(PATHS)("%s: what can be done there is told without doing it", async (path) => {
  const answer = await world.call(at(path), { method: "OPTIONS" });
  expect(answer.status).toBe(204);
  expect(named(answer.headers.get("allow"))).toEqual(allowed(path));
});

test.each(PATHS)("%s: a page of a listed origin learns what it may", async (path) => {
  const asks = {
    origin: EMBEDDER,
    "access-control-request-method": methodsOf(path)[0] ?? "",
    "access-control-request-headers": "authorization,content-type",
  };
  const { status, headers } = await world.call(at(path), { method: "OPTIONS", headers: asks });
  expect(status).toBe(204);
  expect(headers.get("access-control-allow-origin")).toBe(EMBEDDER);
  expect(named(headers.get("access-control-allow-methods"))).toEqual(allowed(path));
  expect(headers.get("access-control-allow-headers")).toContain("authorization");
});

test.each(PATHS.filter((path) => methodsOf(path).includes("GET")))(
  "%s: HEAD is GET without the body",
  async (path) => {
    const [get, head] = await Promise.all(["GET", "HEAD"].map((method) => ada.call(at(path), { method })));
    expect(head?.status).toBe(get?.status);
    expect(head?.headers.get("content-type")).toBe(get?.headers.get("content-type"));
    expect(head?.body).toBeUndefined();
  },
);

test("an address that there is not takes nothing", async () => {
  for (const method of ["GET", "OPTIONS", "POST"]) {
    const answer = await world.call("/api/nothing/here", { method });
    expect(answer).toMatchObject({ status: 404, body: { type: "/problems/not-found" } });
  }
});

test("a page of a listed origin reads what clients go by", async () => {
  const headers = { origin: EMBEDDER };
  const answer = await world.call("/api/auth/me", { headers });
  expect(answer.status).toBe(401);
  const exposed = answer.headers.get("access-control-expose-headers")?.split(", ");
  for (const name of ["retry-after", "ratelimit", "ratelimit-policy", "x-request-id", "location", "allow"])
    expect(exposed).toContain(name);
});
