// The layout: tiles fit, fill the space, and keep their shape within bounds.
import type { Participant } from "@connect/sdk";
import { describe, expect, it } from "vitest";
import { gridOf, initialsOf, stageOf, tintOf } from "./layout.ts";

const GAP = 12;

function person(id: string, screen = false): Participant {
  return {
    id,
    user: id,
    name: id,
    role: "member",
    publishing: { microphone: true, camera: true, screen },
    region: null,
    joinedAt: 0,
  };
}

describe("the grid", () => {
  const spaces = [
    { width: 1280, height: 640 },
    { width: 932, height: 616 },
    { width: 390, height: 640 },
    { width: 700, height: 260 },
  ];

  it.each(spaces)("fits any number of tiles into $width x $height", (space) => {
    for (let count = 1; count <= 25; count += 1) {
      const { columns, rows, width, height } = gridOf(space, count, GAP);
      expect(columns * rows).toBeGreaterThanOrEqual(count);
      expect(columns * width + (columns - 1) * GAP).toBeLessThanOrEqual(space.width);
      expect(rows * height + (rows - 1) * GAP).toBeLessThanOrEqual(space.height);
      expect(width / height).toBeGreaterThanOrEqual(0.73);
      expect(width / height).toBeLessThanOrEqual(1.8);
    }
  });

  it("is wide where the space is wide, and tall where it is tall", () => {
    expect(gridOf({ width: 1280, height: 640 }, 2, GAP)).toMatchObject({ columns: 2, rows: 1 });
    expect(gridOf({ width: 390, height: 640 }, 2, GAP)).toMatchObject({ columns: 1, rows: 2 });
    expect(gridOf({ width: 1280, height: 640 }, 9, GAP)).toMatchObject({ columns: 3, rows: 3 });
  });

  it("has no tiles where there is no space", () => {
    expect(gridOf({ width: 0, height: 0 }, 3, GAP)).toMatchObject({ width: 0, height: 0 });
  });
});

describe("the stage", () => {
  const keys = (tiles: readonly { participant: string; source: string }[]) =>
    tiles.map(({ participant, source }) => `${participant}/${source}`);

  it("shows you large while you are alone", () => {
    const stage = stageOf([person("me")], "me", 9);
    expect(keys(stage.grid)).toEqual(["me/camera"]);
    expect(stage.corner).toBeNull();
  });

  it("puts you into the corner of a conversation of two", () => {
    const stage = stageOf([person("me"), person("ann")], "me", 9);
    expect(keys(stage.grid)).toEqual(["ann/camera"]);
    expect(stage.corner?.participant).toBe("me");
  });

  it("shows you last among more", () => {
    const stage = stageOf([person("me"), person("ann"), person("bob")], "me", 9);
    expect(keys(stage.grid)).toEqual(["ann/camera", "bob/camera", "me/camera"]);
    expect(stage.grid.at(-1)?.isYou).toBe(true);
  });

  it("shows screens first", () => {
    const stage = stageOf([person("ann"), person("bob", true), person("me")], "me", 9);
    expect(keys(stage.grid)[0]).toBe("bob/screen");
  });

  it("counts those for whom there is no slot", () => {
    const people = ["me", "a", "b", "c", "d", "e", "f"].map((id) => person(id));
    const stage = stageOf(people, "me", 4);
    expect(stage.grid).toHaveLength(5);
    expect(stage.hidden).toBe(2);
  });
});

describe("initials and tints", () => {
  it.each([
    ["Ann Okafor", "AO"],
    ["Dara", "D"],
    ["  émile  de la zola ", "ÉZ"],
    ["𝒳 y", "𝒳Y"],
    ["", "?"],
  ])("of %j are %j", (name, initials) => {
    expect(initialsOf(name)).toBe(initials);
  });

  it("stay the same for a participant", () => {
    expect(["a", "b", "p1", "Zoë"].map((id) => tintOf(id, 6))).toEqual([2, 3, 0, 1]);
  });
});
