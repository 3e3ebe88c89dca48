// The view: many changes of a layout are told once, and only when something changed.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { View } from "../src/call/view.ts";
import type { Tile } from "../src/generated/protocol.ts";

const ann = { participant: "ann", source: "camera" } as const;
const bob = { participant: "bob", source: "camera" } as const;

describe("the view", () => {
  const told: Tile[][] = [];
  let view: View;

  beforeEach(() => {
    vi.useFakeTimers();
    told.length = 0;
    view = new View((tiles) => told.push(tiles));
  });
  afterEach(() => void vi.useRealTimers());

  it("tells many changes at once", () => {
    view.show(ann, 100, 50);
    view.show(ann, 320.4, 180);
    view.show(bob, 320, 180, 2);
    expect(told).toEqual([]);
    vi.runAllTimers();
    expect(told).toEqual([
      [
        { track: ann, width: 320, height: 180, priority: 0 },
        { track: bob, width: 320, height: 180, priority: 2 },
      ],
    ]);
  });

  it("is silent when nothing changed in the end", () => {
    view.show(ann, 320, 180);
    vi.runAllTimers();
    view.hide(ann);
    view.show(ann, 320, 180);
    vi.runAllTimers();
    expect(told).toHaveLength(1);
  });

  it("tells that nothing is visible any more", () => {
    view.show(ann, 320, 180);
    vi.runAllTimers();
    view.hide(ann);
    vi.runAllTimers();
    expect(told.at(-1)).toEqual([]);
  });

  it("takes a tile without a size for hidden", () => {
    view.show(ann, 320, 0);
    vi.runAllTimers();
    expect(told).toEqual([]);
  });

  it("keeps the slot of a tile that moves to another place of the page", () => {
    view.show(ann, 320, 180);
    vi.runAllTimers();
    view.hide(ann);
    vi.advanceTimersByTime(250);
    view.show(ann, 1280, 720);
    vi.runAllTimers();
    expect(told.map((tiles) => tiles.length)).toEqual([1, 1]);
  });

  it("follows sizes that go on changing, a few times a second", () => {
    for (let width = 100; width < 200; width += 1) {
      view.show(ann, width, 90);
      vi.advanceTimersByTime(10);
    }
    vi.runAllTimers();
    expect(told.length).toBeGreaterThan(3);
    expect(told.length).toBeLessThan(8);
    expect(told.at(-1)?.[0]?.width).toBe(199);
  });

  it("is empty while nobody sees the page, and whole again afterwards", () => {
    view.show(ann, 320, 180);
    vi.runAllTimers();
    view.hidePage(true);
    view.show(bob, 320, 180);
    vi.runAllTimers();
    view.hidePage(false);
    expect(told.map((tiles) => tiles.length)).toEqual([1, 0, 2]);
  });

  it("has those in the spotlight matter more than all others", () => {
    view.show(ann, 320, 180, 3);
    view.show(bob, 320, 180, 200);
    vi.runAllTimers();
    view.prefer(["ann", "bob"]);
    vi.runAllTimers();
    view.prefer(["bob", "ann"]);
    vi.runAllTimers();
    view.prefer([]);
    vi.runAllTimers();
    expect(told.map((tiles) => tiles.map(({ priority }) => priority))).toEqual([
      [3, 200],
      [131, 255],
      [3, 200],
    ]);
  });

  it("tells a new node everything at once", () => {
    view.show(ann, 320, 180);
    vi.runAllTimers();
    view.tellAll();
    expect(told).toHaveLength(2);
    expect(told[1]).toEqual(told[0]);
  });

  it("tells a new node that nothing is visible", () => {
    view.tellAll();
    expect(told).toEqual([[]]);
    view.tellAll();
    expect(told).toEqual([[], []]);
  });

  it("says nothing after its end", () => {
    view.show(ann, 320, 180);
    view.end();
    vi.runAllTimers();
    expect(told).toEqual([]);
  });
});
