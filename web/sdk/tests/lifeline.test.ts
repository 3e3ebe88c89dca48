// The lifeline: silence is told from a quiet moment, within about a second.
import { describe, expect, it } from "vitest";
import { Lifeline } from "../src/call/lifeline.ts";

describe("the lifeline", () => {
  it("breaks when much is sent and nothing comes back, and says so once", () => {
    const line = new Lifeline();
    expect(line.read(0, { sent: 100, received: 50 })).toBeNull();
    expect(line.read(900, { sent: 9_000, received: 50 })).toBeNull();
    expect(line.read(1_000, { sent: 10_000, received: 50 })).toBe("silent");
    expect(line.read(2_000, { sent: 20_000, received: 50 })).toBeNull();
  });

  it("says when something comes again, whichever way it is seen", () => {
    for (const back of [
      (line: Lifeline) => line.read(1_300, { sent: 11_000, received: 60 }),
      (line: Lifeline) => line.heard(1_300),
    ]) {
      const line = new Lifeline();
      line.read(0, { sent: 100, received: 50 });
      line.read(1_000, { sent: 10_000, received: 50 });
      expect(back(line)).toBe("back");
      expect(back(line)).toBeNull();
    }
  });

  it("holds while anything comes", () => {
    const line = new Lifeline();
    for (let at = 0; at < 10_000; at += 250) {
      expect(line.read(at, { sent: at * 100, received: 1 + Math.floor(at / 750) })).toBeNull();
    }
  });

  it("holds when nothing is sent that could be answered", () => {
    const line = new Lifeline();
    line.read(0, { sent: 100, received: 50 });
    expect(line.read(60_000, { sent: 300, received: 50 })).toBeNull();
  });

  it("leaves it to ICE while nothing has come at all", () => {
    const line = new Lifeline();
    line.read(0, { sent: 100, received: 0 });
    expect(line.read(5_000, { sent: 50_000, received: 0 })).toBeNull();
  });

  it("counts the silence from the last media, not from the reading after it", () => {
    const line = new Lifeline();
    line.heard(0);
    expect(line.read(250, { sent: 0, received: 50 })).toBeNull();
    expect(line.read(1_000, { sent: 9_000, received: 50 })).toBe("silent");
  });

  it("does not take the end of an old path's count for a sign of life", () => {
    const line = new Lifeline();
    line.read(0, { sent: 50_000, received: 9_000 });
    expect(line.read(500, { sent: 0, received: 10 })).toBeNull();
    expect(line.read(1_000, { sent: 5_000, received: 10 })).toBe("silent");
  });

  it("is more patient after each silence, until it has held for a while", () => {
    const line = new Lifeline();
    const silenceFrom = (start: number) => {
      line.heard(start);
      line.read(start, { sent: 0, received: 50 });
      for (let ms = 0; ; ms += 250) {
        if (line.read(start + ms, { sent: 100 * ms, received: 50 }) === "silent") return ms;
      }
    };
    expect([silenceFrom(0), silenceFrom(5_000), silenceFrom(10_000)]).toEqual([1_000, 2_000, 4_000]);
    expect([silenceFrom(20_000), silenceFrom(40_000)]).toEqual([8_000, 8_000]);
    line.heard(49_000);
    expect(silenceFrom(200_000)).toBe(8_000);
    expect(silenceFrom(300_000)).toBe(2_000);
  });
});
