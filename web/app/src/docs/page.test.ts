// The documentation's page, made of the document that is handed out: all of it is there, and each link leads somewhere.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { OpenApi } from "./document.ts";
import { page } from "./page.ts";

const api: OpenApi = JSON.parse(readFileSync("public/api/openapi.json", "utf8"));

test("every operation and every type has its place, and every link leads to one", () => {
  const shown = page(api);
  const operations = Object.values(api.paths).flatMap((methods) => Object.values(methods));
  expect(operations.length).toBeGreaterThan(20);
  for (const { operationId, summary } of operations)
    expect(shown.querySelector(`#${operationId} h3`)?.textContent).toBe(summary);
  for (const name of Object.keys(api.components.schemas))
    expect(shown.querySelector(`#type-${name} h3`)?.textContent).toBe(name);
  const links = [...shown.querySelectorAll("a[href^='#']")].map((link) => link.getAttribute("href") ?? "");
  expect(links.filter((link) => shown.querySelector(link) === null)).toEqual([]);
});

test("what a field is held to is said, and each kind of refusal", () => {
  const shown = page(api);
  expect(shown.querySelector("#type-RegisterRequest")?.textContent).toContain("8 to 128 characters");
  expect(shown.querySelector("#joinRoom")?.textContent).toContain("/problems/room-locked");
});

test("a description is text", () => {
  const text = "<img src=x onerror=alert(1)>";
  const shown = page({ ...api, info: { ...api.info, description: text } });
  expect(shown.querySelector("main > p")?.textContent).toBe(text);
  expect(shown.querySelector("img")).toBeNull();
});
