// The lifeline: silence is told from a quiet moment, within about a second.
import { describe, expect, it } from "vitest";
import { Lifeline } from "../src/call/lifeline.ts";

const AFTER = 1_000;

describe("the lifeline", () => {
  it("breaks when much is sent and nothing comes back", () => {
    const line = new Lifeline(AFTER);
    expect(line.isSilent(0, { sent: 100, received: 50 })).toBe(false);
    expect(line.isSilent(900, { sent: 9_000, received: 50 })).toBe(false);
    expect(line.isSilent(1_000, { sent: 10_000, received: 50 })).toBe(true);
  });

  it("holds while anything comes", () => {
    const line = new Lifeline(AFTER);
    for (let at = 0; at < 10_000; at += 250) {
      expect(line.isSilent(at, { sent: at * 100, received: 1 + Math.floor(at / 750) })).toBe(false);
    }
  });

  it("holds when nothing is sent that could be answered", () => {
    const line = new Lifeline(AFTER);
    line.isSilent(0, { sent: 100, received: 50 });
    expect(line.isSilent(60_000, { sent: 300, received: 50 })).toBe(false);
  });

  it("leaves it to ICE while nothing has come at all", () => {
    const line = new Lifeline(AFTER);
    line.isSilent(0, { sent: 100, received: 0 });
    expect(line.isSilent(5_000, { sent: 50_000, received: 0 })).toBe(false);
  });

  it("counts the silence from the last media, not from the reading after it", () => {
    const line = new Lifeline(AFTER);
    line.heard(0);
    expect(line.isSilent(250, { sent: 0, received: 50 })).toBe(false);
    expect(line.isSilent(1_000, { sent: 9_000, received: 50 })).toBe(true);
  });
});
