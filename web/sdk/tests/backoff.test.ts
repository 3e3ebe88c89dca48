// The back-off: its growth, its limit and its spread.
import { describe, expect, it } from "vitest";
import { backoff } from "../src/call/backoff.ts";

describe("the back-off", () => {
  it("grows to a limit and is spread evenly", () => {
    expect([0, 1, 2, 10].map((attempt) => backoff(attempt, 1))).toEqual([250, 500, 1000, 4000]);
    expect(backoff(10, 0.5)).toBe(2000);
    expect(backoff(3, 0)).toBe(0);
  });

  it("spreads each try over as much time as everybody needs", () => {
    expect([0, 10].map((attempt) => backoff(attempt, 0.5, 6_000))).toEqual([3_000, 3_000]);
    expect(backoff(10, 1, 100)).toBe(4_000);
  });
});
