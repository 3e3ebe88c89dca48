// What somebody has typed is the least that makes one text of the other, at the caret, and never half a character.
import { assert, constantFrom, integer, property, string } from "fast-check";
import { expect, it } from "vitest";
import { changeOf, partsOf, type TextChange } from "../src/call/text-change.ts";

const apply = (text: string, { at, removed, inserted }: TextChange) =>
  text.slice(0, at) + inserted + text.slice(at + removed);
const words = string({ unit: constantFrom("a", "b", "😀", "😁", "\n"), maxLength: 12 });
const isWhole = (text: string) =>
  !/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(text);

it("makes the one of the other, wherever the caret is", () => {
  assert(
    property(words, words, integer({ min: 0, max: 30 }), (before, after, caret) => {
      const change = changeOf(before, after, Math.min(caret, after.length));
      expect(apply(before, change)).toBe(after);
      expect(change.at).toBeGreaterThanOrEqual(0);
      expect(change.removed).toBeGreaterThanOrEqual(0);
      expect(isWhole(change.inserted)).toBe(true);
      expect(isWhole(before.slice(0, change.at)) && isWhole(before.slice(change.at + change.removed))).toBe(
        true,
      );
    }),
  );
});

it("says where among like letters one was typed or deleted", () => {
  expect(changeOf("aaa", "aaaa", 2)).toEqual({ at: 1, removed: 0, inserted: "a" });
  expect(changeOf("aaaa", "aaa", 1)).toEqual({ at: 1, removed: 1, inserted: "" });
  expect(changeOf("a😀", "a😁", 3)).toEqual({ at: 1, removed: 2, inserted: "😁" });
  expect(changeOf("same", "same", 4)).toEqual({ at: 4, removed: 0, inserted: "" });
});

it("cuts a text between its characters", () => {
  assert(
    property(words, integer({ min: 2, max: 5 }), (text, most) => {
      const parts = partsOf(text, most);
      expect(parts.join("")).toBe(text);
      expect(parts.every((part) => part.length <= most && isWhole(part))).toBe(true);
    }),
  );
});
