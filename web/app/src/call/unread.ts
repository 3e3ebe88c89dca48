// What has come in the chat since somebody looked, here or on another device.
import type { ChatMessage } from "@connect/sdk";
import { useEffect, useState } from "react";

/** How many lines came since the newest one was last visible, or was read elsewhere (`mark`, the id of that line). */
export function useUnread(
  chat: readonly ChatMessage[],
  visible: boolean,
  mark: string | null = null,
): number {
  const [seen, setSeen] = useState(() => lastOf(chat));
  useEffect(() => {
    if (visible) setSeen((seen) => lastOf(chat) ?? seen);
  }, [chat, visible]);
  return visible ? 0 : unreadAfter(chat, mark ?? seen);
}

/**
 * How many lines came after the one that was seen last. Counted by their numbers: a list that drops its oldest does not grow, and
 * one of another breakout room has not the line that was seen in the one before.
 */
function unreadAfter(chat: readonly ChatMessage[], seen: string | null): number {
  return chat.filter(({ id }) => Number(id) > Number(seen ?? 0)).length;
}

/** The line that somebody has seen who sees them all now. */
export function lastOf(chat: readonly ChatMessage[]): string | null {
  return chat.at(-1)?.id ?? null;
}
