// The trace of a join: what it has come to is told once, with the time of each step.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { JoinTrace } from "../src/call/join-trace.ts";
import type { JoinReport } from "../src/generated/protocol.ts";

let told: JoinReport[];
let trace: JoinTrace;

beforeEach(() => {
  vi.useFakeTimers();
  told = [];
  trace = new JoinTrace((report) => told.push(report));
});
afterEach(() => vi.useRealTimers());

/** These steps, each ten milliseconds after the one before. */
function take(...steps: string[]): void {
  for (const step of steps) {
    vi.advanceTimersByTime(10);
    trace.step(step);
  }
}

it("is named as W3C wants it, and each by itself", () => {
  expect(trace.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  expect(new JoinTrace(() => {}).traceparent).not.toBe(trace.traceparent);
});

it("ends with the first picture, and counts no step twice", () => {
  take("join", "ticket", "welcome", "connected", "connected", "first-frame", "first-frame");
  trace.end("givenUp");
  expect(told).toEqual([
    {
      traceparent: trace.traceparent,
      outcome: "joined",
      age: 60,
      took: 60,
      steps: { join: 10, ticket: 20, welcome: 30, connected: 40, "first-frame": 60 },
    },
  ]);
});

it("is done without a picture where nobody sends one", () => {
  take("join", "welcome", "connected");
  vi.advanceTimersByTime(2_999);
  expect(told).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(told).toMatchObject([{ outcome: "joined", took: 30, age: 3_030 }]);
});

it("fails where media finds no way, and is given up by who leaves before", () => {
  take("join", "welcome");
  vi.advanceTimersByTime(30_000);
  expect(told).toMatchObject([{ outcome: "failed" }]);
  trace = new JoinTrace((report) => told.push(report));
  take("join", "welcome");
  trace.end("givenUp");
  vi.advanceTimersByTime(60_000);
  expect(told.slice(1)).toMatchObject([{ outcome: "givenUp", took: 20 }]);
});
