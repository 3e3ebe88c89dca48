// Statistics: named by track, and judged.
import { describe, expect, it } from "vitest";
import { NO_STATISTICS, qualityOf, qualityOfReport, statisticsOf } from "../src/call/statistics.ts";

describe("statistics", () => {
  it("name streams by the track that their slot carries", () => {
    const report = new Map<string, unknown>([
      [
        "a",
        {
          type: "inbound-rtp",
          mid: "5",
          codecId: "v",
          framesDecoded: 30,
          bytesReceived: 1000,
          packetsReceived: 9,
        },
      ],
      ["v", { type: "codec", id: "v", mimeType: "video/VP8" }],
      ["b", { type: "inbound-rtp", mid: "6", framesDecoded: 2 }],
      ["c", { type: "candidate-pair", nominated: true, currentRoundTripTime: 0.02, bytesSent: 5 }],
    ]);
    const now = statisticsOf(report, {
      trackOf: (mid) => (mid === "5" ? { participant: "ann", source: "camera" } : undefined),
      sourceOf: () => undefined,
    });
    expect(now.incoming).toHaveLength(1);
    expect(now.incoming[0]).toMatchObject({
      mid: "5",
      codec: "video/VP8",
      framesDecoded: 30,
      bytes: 1000,
      audioLevel: 0,
    });
    expect(now).toMatchObject({ roundTrip: 20, bytesSent: 5 });
  });

  it("name what is sent by its source and layer", () => {
    const report = new Map<string, unknown>([
      ["a", { type: "outbound-rtp", mid: "1", rid: "q", active: true, framesEncoded: 9, frameWidth: 320 }],
      ["b", { type: "outbound-rtp", mid: "1", rid: "f", active: false }],
    ]);
    const { outgoing } = statisticsOf(report, { trackOf: () => undefined, sourceOf: () => "camera" });
    expect(outgoing).toMatchObject([
      { source: "camera", rid: "q", active: true, framesEncoded: 9, frameWidth: 320 },
      { source: "camera", rid: "f", active: false, framesEncoded: 0 },
    ]);
  });

  it("judge others by what their node measured", () => {
    const path = { loss: 0, jitterMs: 3, bitrate: 900_000 };
    const report = { roundTripMs: 30, up: path, down: path, estimate: 2_000_000, frozen: null, score: 4.4 };
    expect(qualityOfReport(report)).toBe("good");
    expect(qualityOfReport({ ...report, down: { ...path, loss: 0.05 } })).toBe("fair");
    expect(qualityOfReport({ ...report, roundTripMs: 900 })).toBe("poor");
    expect(qualityOfReport({ ...report, roundTripMs: null })).toBe("unknown");
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
