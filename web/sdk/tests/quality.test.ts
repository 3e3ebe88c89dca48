// How good a connection is, in words.
import { describe, expect, it } from "vitest";
import { qualityOf, qualityOfReport } from "../src/call/quality.ts";
import { NO_STATISTICS } from "../src/call/statistics.ts";

describe("a connection", () => {
  it("is judged by what its node measured", () => {
    const path = { loss: 0, jitterMs: 3, bitrate: 900_000 };
    const report = { roundTripMs: 30, up: path, down: path, estimate: 2_000_000, frozen: null, score: 4.4 };
    expect(qualityOfReport(report)).toBe("good");
    expect(qualityOfReport({ ...report, down: { ...path, loss: 0.05 } })).toBe("fair");
    expect(qualityOfReport({ ...report, roundTripMs: 900 })).toBe("poor");
    expect(qualityOfReport({ ...report, roundTripMs: null })).toBe("unknown");
  });

  it("is judged by delay and by loss since the last look", () => {
    const track = { participant: "ann", source: "camera" } as const;
    const at = (roundTrip: number | null, packets: number, packetsLost: number) => ({
      ...NO_STATISTICS,
      roundTrip,
      incoming: [
        {
          track,
          mid: "5",
          bytes: 0,
          packets,
          packetsLost,
          jitter: 0,
          codec: "",
          freezes: 0,
          frozenSeconds: 0,
          framesDecoded: 0,
          frameWidth: 0,
          frameHeight: 0,
          framesPerSecond: 0,
          audioLevel: 0,
        },
      ],
    });
    expect(qualityOf(at(null, 0, 0), NO_STATISTICS)).toBe("unknown");
    expect(qualityOf(at(30, 100, 0), NO_STATISTICS)).toBe("good");
    expect(qualityOf(at(250, 100, 0), NO_STATISTICS)).toBe("fair");
    expect(qualityOf(at(30, 200, 20), at(30, 100, 0))).toBe("poor");
    expect(qualityOf(at(30, 200, 20), at(30, 100, 20))).toBe("good");
  });
});
