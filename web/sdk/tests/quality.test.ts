// How good a connection is, in words: one figure per direction, by the node that sees both.
import { describe, expect, it } from "vitest";
import { qualityOf, qualityOfReport } from "../src/call/quality.ts";

const path = { loss: 0, jitterMs: 3, bitrate: 900_000 };
const report = { roundTripMs: 30, up: path, down: path, estimate: 2_000_000, frozen: null, score: 4.4 };
const CONNECTED = { name: "connected" } as const;

describe("somebody's connection", () => {
  it("is judged by what their node measured", () => {
    expect(qualityOfReport(report)).toBe("good");
    expect(qualityOfReport({ ...report, down: { ...path, loss: 0.05 } })).toBe("fair");
    expect(qualityOfReport({ ...report, up: { ...path, loss: 0.125 } })).toBe("poor");
    expect(qualityOfReport({ ...report, roundTripMs: 900 })).toBe("poor");
    expect(qualityOfReport({ ...report, roundTripMs: null })).toBe("unknown");
  });
});

describe("the own connection", () => {
  it("is judged by both of its directions, as others see it", () => {
    const own = (fields: Partial<typeof report>) =>
      qualityOf({ media: CONNECTED, report: { ...report, ...fields } }, 20);
    expect(own({})).toBe("good");
    expect(own({ up: { ...path, loss: 0.125 } })).toBe("poor");
    expect(own({ down: { ...path, loss: 0.05 } })).toBe("fair");
    expect(own({ roundTripMs: 300 })).toBe("fair");
  });

  it("is judged by the delay alone until the node has told", () => {
    const own = (roundTrip: number | null) => qualityOf({ media: CONNECTED, report: null }, roundTrip);
    expect([own(null), own(20), own(250), own(900)]).toEqual(["unknown", "good", "fair", "poor"]);
    expect(
      qualityOf(
        { media: CONNECTED, report: { ...report, roundTripMs: null, up: { ...path, loss: 0.1 } } },
        20,
      ),
    ).toBe("poor");
  });

  it("is not good while there is none", () => {
    for (const name of ["idle", "connecting", "reconnecting", "failed"] as const) {
      expect(qualityOf({ media: { name }, report }, 20)).toBe("unknown");
    }
  });
});
