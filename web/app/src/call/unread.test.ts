// Unread lines: as many as came, also when the oldest are dropped and when the list begins anew.
import type { ChatMessage } from "@connect/sdk";
import { expect, it } from "vitest";
import { lastOf, unreadAfter } from "./unread.ts";

const chat = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => ({ id: String(from + index) }) as ChatMessage);

it("counts what came since", () => {
  expect(unreadAfter(chat(1, 7), "5")).toBe(2);
  expect(unreadAfter(chat(1, 7), "7")).toBe(0);
  expect(unreadAfter(chat(1, 3), lastOf([]))).toBe(3);
  expect(unreadAfter([], null)).toBe(0);
});

it("goes on counting when the list drops its oldest lines", () => {
  const seen = lastOf(chat(1, 500));
  expect(unreadAfter(chat(4, 503), seen)).toBe(3);
  expect(unreadAfter(chat(600, 1_099), seen)).toBe(500);
});

it("holds over a new start with fewer lines", () => {
  expect(unreadAfter(chat(80, 120), "118")).toBe(2);
});
