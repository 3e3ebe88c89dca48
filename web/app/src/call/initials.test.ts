// Initials and tints: letters of any name, and a color that stays.
import { afterEach, describe, expect, it, vi } from "vitest";
import { initialsOf, tintOf } from "./initials.ts";

afterEach(() => {
  vi.unstubAllGlobals();
});

describe("initials and tints", () => {
  it.each([
    ["Ann Okafor", "AO"],
    ["Dara", "D"],
    ["  émile  de la zola ", "ÉZ"],
    ["𝒳 y", "𝒳Y"],
    ["e\u0301mile zo\u0308la", "E\u0301Z"],
    ["क्षितिज शर्मा", "क्षिश"],
    ["👩🏽‍🚀 Ada", "👩🏽‍🚀A"],
    ["🇩🇪 Team", "🇩🇪T"],
    ["שָׁלוֹם לוי", "שָׁל"],
    ["", "?"],
  ])("of %j are %j", (name, initials) => {
    expect(initialsOf(name)).toBe(initials);
  });

  it("keep their accents in a browser that knows no graphemes", async () => {
    vi.stubGlobal("Intl", {});
    vi.resetModules();
    const { initialsOf } = await import("./initials.ts");
    expect(initialsOf("e\u0301mile 𝒳")).toBe("E\u0301𝒳");
  });

  it("stay the same for a participant", () => {
    expect(["a", "b", "p1", "Zoë"].map((id) => tintOf(id, 6))).toEqual([2, 3, 0, 1]);
  });
});
