// Files and pages: what exists is served, an address of the app is its page, and what is missing is a 404.
import { type IncomingHttpHeaders, get as request } from "node:http";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { siteOf } from "./site.ts";
import { World } from "./world.ts";

const PAGE = "<!doctype html><title>Connect</title>";
const DOCS = "<!doctype html><title>API</title>";
const OPENAPI = '{"openapi":"3.1.0"}';
const FOREVER = "public, max-age=31536000, immutable";

let world: World;
beforeAll(async () => {
  const assets = siteOf({
    "index.html": PAGE,
    "docs.html": DOCS,
    "api/openapi.json": OPENAPI,
    "assets/app-1a2b.js": "export {};",
  });
  world = await World.start({}, { assets });
});
afterAll(() => world.stop());

interface Answer {
  status: number | undefined;
  headers: IncomingHttpHeaders;
  body: string;
}

/** By hand: Node's `fetch` says for itself that it does not navigate. */
const get = (path: string, headers: Record<string, string>, method = "GET") =>
  new Promise<Answer>((resolve, reject) => {
    request(world.url + path, { method, headers }, async (answer) => {
      resolve({ status: answer.statusCode, headers: answer.headers, body: await text(answer) });
    }).on("error", reject);
  });
const NAVIGATION = { "sec-fetch-mode": "navigate", accept: "text/html" };
const SCRIPT = { "sec-fetch-mode": "cors", accept: "*/*" };

test("a file of a build that exists is kept for good", async () => {
  const answer = await get("/assets/app-1a2b.js", SCRIPT);
  expect(answer.status).toBe(200);
  expect(answer.headers["cache-control"]).toBe(FOREVER);
  expect(answer.body).toBe("export {};");
});

test.each([
  ["a script", "/assets/app-0000.js", SCRIPT],
  ["a navigation to one, which would be kept under its name", "/assets/app-0000.js", NAVIGATION],
  ["a file outside of a build", "/robots.txt", SCRIPT],
  ["what a script fetches under a page's address", "/call/bako-tuvi", SCRIPT],
])("a missing file is a 404 that nothing keeps: %s", async (_, path, headers) => {
  const answer = await get(path, headers);
  expect(answer.status).toBe(404);
  expect(answer.headers["cache-control"]).toBe("no-store");
  expect(JSON.parse(answer.body)).toMatchObject({ status: 404 });
});

test.each([
  ["the first page", "/", NAVIGATION],
  ["an address of the app", "/call/bako-tuvi?region=us-east", NAVIGATION],
  ["one that the app will not know", "/nowhere/at/all", NAVIGATION],
  ["a browser that says only what it accepts", "/call/bako-tuvi", { accept: "text/html,*/*" }],
])("who navigates gets the app, to be asked for again each time: %s", async (_, path, headers) => {
  const answer = await get(path, headers);
  expect(answer.status).toBe(200);
  expect(answer.body).toBe(PAGE);
  expect(answer.headers["cache-control"]).toBe("public, max-age=0, must-revalidate");
  expect(answer.headers["content-security-policy"]).toContain("default-src 'self'");
});

test("only a navigation that reads is one", async () => {
  expect((await get("/call/bako-tuvi", NAVIGATION, "POST")).status).toBe(404);
});

test("the API answers for itself, however it is asked", async () => {
  const answer = await get("/api/nothing", NAVIGATION);
  expect(answer.status).toBe(404);
  expect(JSON.parse(answer.body)).toMatchObject({ type: "/problems/not-found" });
});

test("the documentation of the API is a page of its own, under the rules of all pages", async () => {
  const answer = await get("/docs", NAVIGATION);
  expect(answer).toMatchObject({ status: 200, body: DOCS });
  const policy = answer.headers["content-security-policy"];
  expect(policy).toContain("script-src 'self'");
  expect(policy).not.toContain("unsafe");
});

test("the OpenAPI document is an answer of the API", async () => {
  const answer = await get("/api/openapi.json", SCRIPT);
  expect(answer).toMatchObject({ status: 200, body: OPENAPI });
  expect(answer.headers["content-type"]).toBe("application/json");
  expect(answer.headers["x-request-id"]).toMatch(/^[0-9a-f]{16}$/);
});
