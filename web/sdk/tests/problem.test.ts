// Errors: which of them may pass by themselves, and after how long.
import { expect, it } from "vitest";
import { ApiError, NetworkError, retryAfter, TimeoutError } from "../src/problem.ts";

const refused = (status: number) => new ApiError({ type: "/problems/x", title: "T", status, detail: "D" });

it.each([
  ["no network", new NetworkError(), true],
  ["no answer in time", new TimeoutError(15_000), true],
  ["a server that is down", refused(503), true],
  ["a limit", refused(429), true],
  // A call waits for it, and does not end: its user may sign in again in another tab.
  ["a session that has ended", refused(401), true],
  ["a room that is gone", refused(404), false],
  ["somebody who was removed", refused(403), false],
])("%s", (_, error, mayPass) => {
  expect(retryAfter(error) !== null).toBe(mayPass);
});

it("is tried again when the API has said so", () => {
  expect(retryAfter(new ApiError(refused(429).problem, 7))).toBe(7_000);
});
