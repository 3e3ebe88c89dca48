// The state of a call, in words.
import type { CallState, ConnectionQuality, ScreenProblem } from "@connect/sdk/call";
import { sentence } from "../ui/words.ts";

/** What the owner has taken from you, in a line; null when nothing. */
export function capsNotice({ caps }: CallState): string | null {
  if (caps === null) return null;
  const screen = caps.screen ? "" : "screen";
  const taken = caps.video ? screen : "video";
  if (!caps.audio)
    return taken === "" ? "You were muted by the host" : `You were muted by the host, ${taken} too`;
  return taken === "" ? null : `The host has turned off your ${taken}`;
}

export const SCREEN_PROBLEM: Record<ScreenProblem, string> = {
  denied: "Your screen is not shared. If you did not cancel it yourself, allow it in your system's settings.",
  failed: "Your screen could not be shared. Try again, or choose a window instead.",
  unsupported: "This browser cannot share a screen.",
};

/** What keeps the call from being well right now; null when nothing does. */
export function callTrouble(state: CallState): string | null {
  if (state.status.name === "reconnecting" || state.media === "reconnecting") return "Reconnecting…";
  if (state.notice !== null) return sentence(state.notice);
  if (state.media === "failed") return "Sound and picture could not be set up. Leave and join again.";
  return null;
}

export const QUALITY: Record<ConnectionQuality, string> = {
  unknown: "Connecting",
  good: "Good connection",
  fair: "Fair connection",
  poor: "Poor connection",
};

/** Of four. */
export const BARS: Record<ConnectionQuality, number> = { unknown: 0, poor: 1, fair: 2, good: 4 };
