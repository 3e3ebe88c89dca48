// Statistics: named by track, and judged.
import { describe, expect, it } from "vitest";
import { NO_STATISTICS, qualityOf, statisticsOf } from "../src/call/statistics.ts";

describe("statistics", () => {
  it("name streams by the track that their slot carries", () => {
    const report = new Map<string, unknown>([
      ["a", { type: "inbound-rtp", mid: "5", framesDecoded: 30, bytesReceived: 1000, packetsReceived: 9 }],
      ["b", { type: "inbound-rtp", mid: "6", framesDecoded: 2 }],
      ["c", { type: "candidate-pair", nominated: true, currentRoundTripTime: 0.02, bytesSent: 5 }],
    ]);
    const now = statisticsOf(report, (mid) =>
      mid === "5" ? { participant: "ann", source: "camera" } : undefined,
    );
    expect(now.incoming).toHaveLength(1);
    expect(now.incoming[0]).toMatchObject({ mid: "5", framesDecoded: 30, bytes: 1000, audioLevel: 0 });
    expect(now).toMatchObject({ roundTrip: 20, bytesSent: 5 });
  });

  it("judge by delay and by loss since the last look", () => {
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
