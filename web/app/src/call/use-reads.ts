// Tells the call which lines somebody sees: those of a panel that is open at its end, on a page that is shown.
import type { ChatMessage } from "@connect/sdk";
import type { Call } from "@connect/sdk/call";
import { useEffect } from "react";
import { lastOf } from "./unread.ts";

export function useReads(call: Call, chat: readonly ChatMessage[], isAtEnd: boolean): void {
  const last = lastOf(chat);
  useEffect(() => {
    if (last === null || !isAtEnd) return;
    const look = () => void (document.visibilityState === "visible" && call.reading.upTo(last));
    look();
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, [call, last, isAtEnd]);
}
