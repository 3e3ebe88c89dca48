// The state of a call, in words.
import type { Connection, Source } from "@connect/sdk";
import {
  type CallState,
  type ConnectionQuality,
  type Lines,
  type ScreenProblem,
  type TriedWay,
  unseenBy,
  type Way,
} from "@connect/sdk/call";
import { isolated, sentence } from "../ui/words.ts";

/** What you are kept from sending, in a line; null when nothing, or when you are here to watch. */
export function capsNotice({ caps, participants, you }: CallState): string | null {
  const isViewer = participants.find(({ id }) => id === you)?.role === "viewer";
  if (caps === null || isViewer) return null;
  const screen = caps.screen ? "" : "screen";
  const taken = caps.video ? screen : "video";
  if (!caps.audio) return taken === "" ? "A moderator muted you" : `A moderator muted you, ${taken} too`;
  return taken === "" ? null : `A moderator has turned off your ${taken}`;
}

export const SCREEN_PROBLEM: Record<ScreenProblem, string> = {
  denied: "Your screen is not shared. If you did not cancel it yourself, allow it in your system's settings.",
  failed: "Your screen could not be shared. Try again, or choose a window instead.",
  unsupported: "This browser cannot share a screen.",
};

/** What keeps the call from being well right now; null when nothing does, or when it has a banner of its own. */
export function callTrouble({ status, media, notice }: CallState): string | null {
  if (status.name === "reconnecting") return pauseWords(status.pauseMs);
  if (media.name === "reconnecting") return "Reconnecting…";
  if (notice !== null) return sentence(notice);
  if (media.name === "failed") return "Sound and picture could not be set up. Leave and join again.";
  return null;
}

function pauseWords(ms: number): string {
  if (ms === 0) return "Reconnecting…";
  const seconds = Math.ceil(ms / 1_000);
  return `Too much was sent from here at once. The call comes back by itself in ${seconds} s.`;
}

const WAY: Record<Way, string> = { udp: "UDP", tcp: "TCP", turn: "TURN" };
const OUTCOME: Record<TriedWay["outcome"], string> = {
  unanswered: "no answer",
  unreachable: "its server is out of reach",
  none: "not set up here",
};

/** What was tried to reach the media node. */
export function triedWords(tried: readonly TriedWay[]): string {
  return `Tried: ${tried.map(({ way, outcome }) => `${WAY[way]} (${OUTCOME[outcome]})`).join(", ")}.`;
}

/** What would let media through. */
export function mediaHelp(tried: readonly TriedWay[]): string {
  const relay = tried.some(({ way, outcome }) => way === "turn" && outcome === "none");
  const server = relay ? ", or ask whoever runs Connect for a TURN server" : "";
  return `What helps: another network (such as your phone's), or no VPN. In an office, ask for the firewall to be opened${server}.`;
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
  const names = participants.filter(({ id }) => unseen.includes(id)).map(({ name }) => isolated(name));
  if (names.length === 0) return null;
  return `Cannot see your video: ${names.join(", ")}. Their browsers play no video format that yours can send.`;
}

/** What one has written and nobody has read when the call was over. */
export function unsentWords(lines: Lines): string | undefined {
  if (lines.length === 0) return undefined;
  const texts = lines.map(({ text }) => `“${isolated(text)}”`).join(", ");
  return lines.length === 1
    ? `A line of yours was not sent to the chat: ${texts}`
    : `${lines.length} lines of yours were not sent to the chat: ${texts}`;
}

/** How good the own connection is, or that there is none. */
export function ownConnection({ media, quality }: CallState): string {
  if (media.name === "reconnecting") return "Reconnecting";
  return media.name === "failed" || media.name === "blocked" ? "Not connected" : QUALITY[quality];
}

export const QUALITY: Record<ConnectionQuality, string> = {
  unknown: "Connecting",
  good: "Good connection",
  fair: "Fair connection",
  poor: "Poor connection",
};

/** Of four. */
export const BARS: Record<ConnectionQuality, number> = { unknown: 0, poor: 1, fair: 2, good: 4 };

/** What was done by a moderator who had something turned off. */
export const TURNED_OFF: Record<Source, string> = {
  microphone: "muted you",
  camera: "turned off your camera",
  screen: "ended your screen sharing",
  screenAudio: "ended your screen sharing",
};
