// The small pure parts: room events, outbox, back-off, answers, statistics.
import { describe, expect, it } from "vitest";
import { backoff } from "../src/call/backoff.ts";
import { afterEcho, afterMessage, withLine } from "../src/call/outbox.ts";
import { afterEvent, EMPTY_ROOM } from "../src/call/room.ts";
import { withOpusRepairAndSilence } from "../src/call/sdp.ts";
import { NO_STATISTICS, qualityOf, statisticsOf } from "../src/call/statistics.ts";
import type { Participant } from "../src/generated/protocol.ts";

const ann: Participant = {
  id: "ann",
  user: "u",
  name: "Ann",
  role: "owner",
  publishing: { microphone: false, camera: false, screen: false },
  region: null,
  joinedAt: 1,
};

describe("the room", () => {
  it("follows its events", () => {
    const joined = afterEvent(EMPTY_ROOM, { type: "joined", participant: ann });
    const publishing = { microphone: true, camera: true, screen: false };
    const sends = afterEvent(joined, { type: "publishing", participant: "ann", publishing });
    const placed = afterEvent(sends, { type: "placed", participant: "ann", region: "eu-west" });
    expect(placed.participants).toEqual([{ ...ann, publishing, region: "eu-west" }]);
    expect(joined.participants).toEqual([ann]);
    expect(afterEvent(placed, { type: "left", participant: "ann", reason: "left" }).participants).toEqual([]);
  });

  it("takes an event twice without harm", () => {
    const message = { id: "1", participant: "ann", name: "Ann", text: "hi", sentAt: 2 };
    const once = afterEvent(EMPTY_ROOM, { type: "chat", message });
    expect(afterEvent(once, { type: "chat", message })).toBe(once);
    const joined = afterEvent(once, { type: "joined", participant: ann });
    expect(afterEvent(joined, { type: "joined", participant: ann }).participants).toHaveLength(1);
  });
});

describe("the outbox", () => {
  it("keeps a line until it is stored, and says why one was refused", () => {
    const outbox = withLine(withLine([], "1", "a"), "2", "b");
    expect(afterMessage(outbox, { type: "chatAccepted", nonce: "1", id: "x" })).toHaveLength(1);
    const error = { type: "error", code: "rateLimited", message: "Too fast.", nonce: "2" } as const;
    expect(afterMessage(outbox, error)[1]?.refused).toBe("Too fast.");
  });
});

describe("a line that comes back as an event", () => {
  it("leaves the outbox once, and not when it was refused", () => {
    const outbox = withLine(withLine([], "1", "a"), "2", "a");
    const once = afterEcho(outbox, "a");
    expect(once.map(({ nonce }) => nonce)).toEqual(["2"]);
    expect(afterEcho(once, "b")).toBe(once);
    const error = { type: "error", code: "rateLimited", message: "Too fast.", nonce: "2" } as const;
    expect(afterEcho(afterMessage(once, error), "a")).toHaveLength(1);
  });
});

describe("the back-off", () => {
  it("grows to a limit and is spread evenly", () => {
    expect([0, 1, 2, 10].map((attempt) => backoff(attempt, 1))).toEqual([250, 500, 1000, 4000]);
    expect(backoff(10, 0.5)).toBe(2000);
    expect(backoff(3, 0)).toBe(0);
  });
});

describe("an answer", () => {
  it("makes our Opus encoder repair and pause, and stays the same otherwise", () => {
    const sdp = [
      "m=audio 9 UDP/TLS/RTP/SAVPF 111",
      "a=rtpmap:111 opus/48000/2",
      "a=fmtp:111 minptime=10;useinbandfec=1",
      "m=video 9 UDP/TLS/RTP/SAVPF 96",
      "a=rtpmap:96 VP8/90000",
      "",
    ].join("\r\n");
    const expected = sdp.replace("useinbandfec=1", "useinbandfec=1;usedtx=1");
    expect(withOpusRepairAndSilence(sdp)).toBe(expected);
    expect(withOpusRepairAndSilence(expected)).toBe(expected);
  });

  it("gains the parameters where it has none", () => {
    const sdp = "m=audio 9 X 96\r\na=rtpmap:96 opus/48000/2\r\na=sendrecv\r\n";
    expect(withOpusRepairAndSilence(sdp)).toContain(
      "opus/48000/2\r\na=fmtp:96 useinbandfec=1;usedtx=1\r\na=sendrecv",
    );
  });
});

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
