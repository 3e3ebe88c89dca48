// Unread lines: as many as came, also when the oldest are dropped and when the list begins anew.
import type { ChatMessage } from "@connect/sdk";
import { cleanup, renderHook } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";
import { useUnread } from "./unread.ts";

type Look = [lines: readonly ChatMessage[], visible: boolean];

const chat = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => ({ id: String(from + index) }) as ChatMessage);

/** What is counted at the first look; `next` counts at another. */
function unread(...first: Look) {
  const { result, rerender } = renderHook(({ look }: { look: Look }) => useUnread(...look), {
    initialProps: { look: first },
  });
  const next = (...look: Look) => {
    rerender({ look });
    return result.current;
  };
  return { first: result.current, next };
}

afterEach(cleanup);

it("counts what came since", () => {
  const { first, next } = unread(chat(1, 5), false);
  expect(first).toBe(0);
  expect(next(chat(1, 7), false)).toBe(2);
  expect(unread([], false).next(chat(1, 3), false)).toBe(3);
});

it("counts nothing while the lines are visible, and anew from then on", () => {
  const { next } = unread(chat(1, 5), false);
  expect(next(chat(1, 7), true)).toBe(0);
  expect(next(chat(1, 7), false)).toBe(0);
  expect(next(chat(1, 8), false)).toBe(1);
});

it("goes on counting when the list drops its oldest lines", () => {
  const { next } = unread(chat(1, 500), false);
  expect(next(chat(4, 503), false)).toBe(3);
  expect(next(chat(600, 1_099), false)).toBe(500);
});

it("holds over a new start with fewer lines", () => {
  const { next } = unread(chat(1, 118), false);
  expect(next(chat(80, 120), false)).toBe(2);
});

it("counts from where one has read on another device", () => {
  const { result, rerender } = renderHook(({ mark }) => useUnread(chat(1, 9), false, mark), {
    initialProps: { mark: "4" as string | null },
  });
  expect(result.current).toBe(5);
  rerender({ mark: "8" });
  expect(result.current).toBe(1);
});
