// Initials and tints: letters of any name, and a color that stays.
import { describe, expect, it } from "vitest";
import { initialsOf, tintOf } from "./initials.ts";

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
