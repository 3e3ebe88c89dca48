// The layout: who is shown, who is large, and what matters most on a narrow path.
import type { Participant } from "@connect/sdk";
import { describe, expect, it } from "vitest";
import { type Layout, layoutOf, type Scene } from "./layout.ts";

function person(id: string, screen = false): Participant {
  return {
    id,
    user: id,
    name: id,
    role: "speaker",
    guest: false,
    publishing: { microphone: true, camera: true, screen, codec: null },
    caps: { audio: true, video: true, screen: true, captions: true, maxLayer: null, maxBitrate: null },
    region: null,
    connection: "connected",
    decodes: [],
    joinedAt: 0,
  };
}

function scene(ids: readonly (string | Participant)[], fields: Partial<Scene> = {}): Scene {
  const people = ids.map((one) => (typeof one === "string" ? person(one) : one));
  return {
    people,
    you: "me",
    capacity: 9,
    pinned: null,
    spotlit: [],
    spotlight: false,
    speakers: [],
    spoke: [],
    ...fields,
  };
}

/** The layout in short: the large one before the bar, if there is one. */
function short(layout: Layout): string {
  const keys = (tiles: readonly { key: string }[]) =>
    tiles.map(({ key }) => key.replace("/camera", "")).join(" ");
  if (layout.kind === "grid")
    return keys(layout.tiles) + (layout.corner === null ? "" : ` (${keys([layout.corner])})`);
  return `${keys(layout.mains)} | ${keys(layout.strip)}`;
}

describe("the grid", () => {
  it("shows you large while you are alone", () => {
    expect(short(layoutOf(scene(["me"])))).toBe("me");
  });

  it("puts you into the corner of a conversation of two", () => {
    expect(short(layoutOf(scene(["me", "ann"])))).toBe("ann (me)");
  });

  it("shows you last among more", () => {
    expect(short(layoutOf(scene(["me", "ann", "bob"])))).toBe("ann bob me");
  });

  it("counts those for whom there is no slot", () => {
    const layout = layoutOf(scene(["me", "a", "b", "c", "d", "e", "f"], { capacity: 4 }));
    expect(short(layout)).toBe("a b c d me");
    expect(layout.hidden).toBe(2);
  });

  it("has room for who spoke last, at their place", () => {
    const layout = layoutOf(scene(["me", "a", "b", "c", "d"], { capacity: 2, spoke: ["d", "b"] }));
    expect(short(layout)).toBe("b d me");
  });
});

describe("a presentation", () => {
  it("shows a screen large, and everybody beside it", () => {
    expect(short(layoutOf(scene(["me", "ann", person("bob", true)])))).toBe("bob/screen | ann bob me");
  });

  it("shows further screens first in the strip", () => {
    const people = ["me", person("ann", true), person("bob", true)];
    expect(short(layoutOf(scene(people)))).toBe("ann/screen | bob/screen ann bob me");
    expect(short(layoutOf(scene(people, { pinned: "bob/screen" })))).toBe(
      "bob/screen | ann/screen ann bob me",
    );
  });

  it("does not show your own screen to you", () => {
    expect(short(layoutOf(scene([person("me", true), "ann"])))).toBe("ann (me)");
  });

  it("shows large what is pinned, until it is gone", () => {
    expect(short(layoutOf(scene(["me", "ann", "bob"], { pinned: "bob/camera" })))).toBe("bob | ann me");
    expect(short(layoutOf(scene(["me", "ann"], { pinned: "bob/camera" })))).toBe("ann (me)");
    expect(short(layoutOf(scene(["me", "ann", "bob"], { pinned: "bob/screen" })))).toBe("ann bob me");
  });

  it("follows the latest speaker by choice, never yourself", () => {
    const people = ["me", "ann", "bob"];
    expect(short(layoutOf(scene(people, { spotlight: true })))).toBe("ann | bob me");
    expect(short(layoutOf(scene(people, { spotlight: true, spoke: ["me", "bob"] })))).toBe("bob | ann me");
    expect(short(layoutOf(scene(["me"], { spotlight: true })))).toBe("me");
  });

  it("keeps the large one and the screens when there is no room for all", () => {
    const people = ["me", "a", "b", person("c", true)];
    const layout = layoutOf(scene(people, { capacity: 2, pinned: "b/camera" }));
    expect(short(layout)).toBe("b | c/screen me");
    expect(layout.hidden).toBe(2);
  });
});

describe("what matters on a narrow path", () => {
  it("is a screen, what is pinned, who speaks, and then the others", () => {
    const people = ["me", "ann", "bob", person("cid", true)];
    const layout = layoutOf(scene(people, { pinned: "ann/camera", speakers: ["bob"] }));
    const tiles = layout.kind === "grid" ? layout.tiles : [...layout.mains, ...layout.strip];
    const order = tiles.toSorted((a, b) => b.priority - a.priority).map(({ key }) => key);
    expect(order.slice(0, 3)).toEqual(["cid/screen", "ann/camera", "bob/camera"]);
  });
});

describe("the spotlight", () => {
  it("is large for everybody, in its order, also for who is in it", () => {
    const people = ["me", "ann", "bob", "cid"];
    expect(short(layoutOf(scene(people, { spotlit: ["cid", "ann"] })))).toBe("cid ann | bob me");
    expect(short(layoutOf(scene(people, { spotlit: ["me"] })))).toBe("me | ann bob cid");
  });

  it("stands beside a screen, and gives way to what one has pinned oneself", () => {
    const people = ["me", "ann", person("bob", true)];
    expect(short(layoutOf(scene(people, { spotlit: ["ann"] })))).toBe("bob/screen ann | bob me");
    const pinned = scene(people, { spotlit: ["ann"], pinned: "bob/camera" });
    expect(short(layoutOf(pinned))).toBe("bob | bob/screen ann me");
  });

  it("has room where there are few slots", () => {
    const few = scene(["me", "a", "b", "c"], { capacity: 1, spoke: ["a"], spotlit: ["c"] });
    expect(short(layoutOf(few))).toBe("c | me");
  });
});
