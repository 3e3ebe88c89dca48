// Statistics, named by track.
import { describe, expect, it } from "vitest";
import { statisticsOf } from "../src/call/statistics.ts";

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
});
