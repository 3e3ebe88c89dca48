// The state of a call, in words.
import type { Connection } from "@connect/sdk";
import { type CallState, type ConnectionQuality, type ScreenProblem, unseenBy } from "@connect/sdk/call";
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

/** That somebody cannot be seen and heard now; null when they can. */
export const AWAY: Record<Connection, string | null> = {
  connected: null,
  connecting: "Connecting…",
  reconnecting: "Reconnecting…",
};

/** Who cannot see you, in a line; null when everybody can. */
export function unseenNotice({ participants, you }: CallState): string | null {
  const unseen = unseenBy(participants, you);
  const names = participants.filter(({ id }) => unseen.includes(id)).map(({ name }) => name);
  if (names.length === 0) return null;
  return `Cannot see your video: ${names.join(", ")}. Their browsers play no video format that yours can send.`;
}

/** How good the own connection is, or that there is none. */
export function ownConnection({ media, quality }: CallState): string {
  if (media === "reconnecting") return "Reconnecting";
  return media === "failed" ? "Not connected" : QUALITY[quality];
}

export const QUALITY: Record<ConnectionQuality, string> = {
  unknown: "Connecting",
  good: "Good connection",
  fair: "Fair connection",
  poor: "Poor connection",
};

/** Of four. */
export const BARS: Record<ConnectionQuality, number> = { unknown: 0, poor: 1, fair: 2, good: 4 };
