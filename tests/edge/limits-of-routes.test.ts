// Every route of the OpenAPI document, asked twice where each limit is one: what refuses the second time is what docs/limits.md
// says. UPDATE_LIMITS=1 writes it there.
import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { OPERATIONS } from "./openapi.ts";
import { World } from "./world.ts";

const DOCS = new URL("../../docs/", import.meta.url);
const ONCE = "1/900";
const MANY = "1000/900";
/** More often than any limit of a room lets pass at once, but for its tickets (32), which are fewer than joins. */
const AGAIN = 25;
const [BEGIN, END] = ["<!-- routes -->\n", "<!-- end of routes -->"];

let world: World;
beforeAll(async () => {
  world = await World.start({
    CONNECT_LIMIT_ACCOUNT: ONCE,
    CONNECT_LIMIT_ADDRESS: ONCE,
    CONNECT_LIMIT_REGISTER: ONCE,
    CONNECT_LIMIT_MAIL: ONCE,
    CONNECT_LIMIT_MAIL_ADDRESS: ONCE,
    CONNECT_MAIL_DEVELOPMENT: "yes",
    CONNECT_PUBLIC_URL: "https://connect.example",
    CONNECT_LIMIT_CREATE_USER: ONCE,
    CONNECT_LIMIT_CREATE_ADDRESS: MANY,
    CONNECT_LIMIT_JOIN_ADDRESS: ONCE,
    CONNECT_LIMIT_SEARCH_ADDRESS: ONCE,
    CONNECT_LIMIT_ROOM_PASSWORD_ADDRESS: ONCE,
    CONNECT_LIMIT_ROOM_PASSWORD: MANY,
  });
});
afterAll(() => world.stop());

/** What is said to those that take a body. */
const BODIES: Record<string, object> = {
  "/api/auth/register": { email: "bob@example.com", password: "password123", name: "Bob" },
  "/api/auth/login": { email: "bob@example.com", password: "not that one" },
  "/api/auth/reset": { email: "bob@example.com" },
  "/api/auth/reset/confirm": { token: "bob.AAAA", password: "password123" },
  "/api/auth/verify": { token: "bob.AAAA" },
  "/api/account/password": { password: "not that one", newPassword: "password123" },
  "/api/account/deletion": { password: "not that one" },
  "/api/rooms": { name: "Room" },
  "/api/rooms/create": { name: "Room" },
  "/api/v1/rooms": { name: "Room" },
  "/api/rooms/{id}/guests": { name: "Guest" },
};

test("every route has a limit, and the documentation names it", async () => {
  const ada = await world.person("Ada");
  const room = await ada.createRoom();
  const lines = ["| request | limit |", "|---|---|"];
  // The room is needed to the last.
  const all = OPERATIONS.filter(({ tag }) => tag !== "nodes").sort(
    (a, b) => Number(a.method === "DELETE") - Number(b.method === "DELETE"),
  );
  expect(all.length).toBeGreaterThan(15);
  for (const [at, { method, path }] of all.entries()) {
    const body = method === "POST" ? (BODIES[path] ?? {}) : undefined;
    const ask = () =>
      ada.call(path.replace("{id}", room.id), {
        method,
        body,
        headers: { "cf-connecting-ip": `192.0.2.${at}` },
      });
    let answer = await ask();
    for (let again = 0; again < AGAIN && answer.status !== 429; again++) answer = await ask();
    const policy = answer.headers.get("ratelimit-policy");
    expect(policy === null).toBe(answer.status !== 429);
    const name = /^"([a-z-]+)";q=\d+;w=\d+$/.exec(policy ?? '"requests";q=1;w=1')?.[1];
    lines.push(`| \`${method} ${path}\` | \`${name}\` |`);
  }
  const table = `${lines.join("\n")}\n`;
  const file = new URL("limits.md", DOCS);
  const document = readFileSync(file, "utf8");
  const [before = "", rest = ""] = document.split(BEGIN);
  const [shown, after] = rest.split(END);
  if (process.env.UPDATE_LIMITS) return writeFileSync(file, before + BEGIN + table + END + after);
  expect(shown).toBe(table);
});
