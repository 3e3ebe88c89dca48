// The room: what its events make of it.
import { describe, expect, it } from "vitest";
import { afterEvent, EMPTY_ROOM } from "../src/call/room.ts";
import type { Participant } from "../src/generated/protocol.ts";

const ann: Participant = {
  id: "ann",
  user: "u",
  name: "Ann",
  role: "host",
  guest: false,
  publishing: { microphone: false, camera: false, screen: false, codec: null },
  caps: { audio: true, video: true, screen: true, captions: true, maxLayer: null, maxBitrate: null },
  region: null,
  connection: "connected",
  decodes: [],
  joinedAt: 1,
};

describe("the room", () => {
  it("follows its events", () => {
    const joined = afterEvent(EMPTY_ROOM, { type: "joined", participant: ann });
    const publishing = { microphone: true, camera: true, screen: false, codec: null };
    const sends = afterEvent(joined, { type: "publishing", participant: "ann", publishing });
    const placed = afterEvent(sends, { type: "placed", participant: "ann", region: "eu-west" });
    expect(placed.participants).toEqual([{ ...ann, publishing, region: "eu-west" }]);
    expect(joined.participants).toEqual([ann]);
    expect(afterEvent(placed, { type: "left", participant: "ann", reason: "left" }).participants).toEqual([]);
  });

  it("knows what the owner lets somebody send", () => {
    const joined = afterEvent(EMPTY_ROOM, { type: "joined", participant: ann });
    const caps = { ...ann.caps, audio: false };
    expect(afterEvent(joined, { type: "caps", participant: "ann", caps }).participants[0]?.caps).toEqual(
      caps,
    );
  });

  it("knows what somebody is, and how the room is set", () => {
    const joined = afterEvent(EMPTY_ROOM, { type: "joined", participant: ann });
    const viewer = afterEvent(joined, { type: "role", participant: "ann", role: "viewer" });
    expect(viewer.participants[0]?.role).toBe("viewer");
    const settings = { ...EMPTY_ROOM.settings, kind: "webinar" as const };
    expect(afterEvent(joined, { type: "settings", settings }).settings).toEqual(settings);
  });

  it("knows who cannot be seen and heard now", () => {
    const joined = afterEvent(EMPTY_ROOM, { type: "joined", participant: ann });
    const connection = "reconnecting";
    const lost = afterEvent(joined, { type: "connection", participant: "ann", connection });
    expect(lost.participants[0]?.connection).toBe("reconnecting");
  });

  it("takes an event twice without harm", () => {
    const message = {
      id: "1",
      nonce: "n",
      user: "u",
      participant: "ann",
      name: "Ann",
      text: "hi",
      sentAt: 2,
    };
    const once = afterEvent(EMPTY_ROOM, { type: "chat", message });
    expect(afterEvent(once, { type: "chat", message })).toBe(once);
    const joined = afterEvent(once, { type: "joined", participant: ann });
    expect(afterEvent(joined, { type: "joined", participant: ann }).participants).toHaveLength(1);
  });
});
