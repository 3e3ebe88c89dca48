// Slots: whose media flows where, with streams that stay the same as long as they can.
import { describe, expect, it } from "vitest";
import { Slots } from "../src/call/slots.ts";
import type { SlotAssignment, TrackId } from "../src/generated/protocol.ts";

const video = (id: string) => ({ id, kind: "video" }) as MediaStreamTrack;
const audio = (id: string) => ({ id, kind: "audio" }) as MediaStreamTrack;
const camera = (participant: string): TrackId => ({ participant, source: "camera" });
const slot = (mid: string, track: TrackId | null): SlotAssignment => ({ mid, track, paused: false });

function slots(): Slots {
  const receivers = new Map([
    ["4", audio("a")],
    ["5", video("v5")],
    ["6", video("v6")],
  ]);
  return new Slots(receivers, (track) => ({ getVideoTracks: () => [track] }) as unknown as MediaStream);
}

describe("slots", () => {
  it("give each shown track the stream of its slot", () => {
    const mapped = slots();
    const { streams } = mapped.assign([slot("5", camera("ann")), slot("6", null)]);
    expect([...streams.keys()]).toEqual(["ann/camera"]);
    expect(streams.get("ann/camera")?.getVideoTracks()[0]?.id).toBe("v5");
    expect(mapped.trackOf("5")).toEqual(camera("ann"));
    expect(mapped.trackOf("6")).toBeUndefined();
  });

  it("keep a stream while others change", () => {
    const mapped = slots();
    const before = mapped.assign([slot("5", camera("ann")), slot("6", camera("bob"))]).streams;
    const after = mapped.assign([slot("5", camera("ann")), slot("6", camera("cid"))]).streams;
    expect(after.get("ann/camera")).toBe(before.get("ann/camera"));
    expect([...after.keys()]).toEqual(["ann/camera", "cid/camera"]);
  });

  it("give a track that moved to another slot that slot's stream", () => {
    const mapped = slots();
    mapped.assign([slot("5", camera("ann"))]);
    const moved = mapped.assign([slot("6", camera("ann"))]);
    expect(moved.streams.get("ann/camera")?.getVideoTracks()[0]?.id).toBe("v6");
    expect(mapped.trackOf("5")).toBeUndefined();
  });

  it("know whose voice a slot carries, and make no video of it", () => {
    const mapped = slots();
    const { streams } = mapped.assign([slot("4", { participant: "ann", source: "microphone" })]);
    expect(streams.size).toBe(0);
    expect(mapped.trackOf("4")?.participant).toBe("ann");
  });

  it("tell which tracks the path cannot carry", () => {
    const { paused, streams } = slots().assign([
      { mid: "5", track: camera("ann"), paused: true },
      { mid: "6", track: camera("bob"), paused: false },
    ]);
    expect([...paused]).toEqual(["ann/camera"]);
    expect(streams.size).toBe(2);
  });

  it("ignore slots that this connection does not have", () => {
    expect(slots().assign([slot("99", camera("ann"))]).streams.size).toBe(0);
  });
});
