// The state of a call, as a page can show it.
import type {
  Caps,
  ChatMessage,
  CloseReason,
  NodeId,
  Participant,
  ParticipantId,
  Quality,
  Region,
  Room,
  Settings,
} from "../generated/protocol.ts";
import { type Earlier, NO_CHAT } from "./chat.ts";
import type { MediaStatus } from "./media-session.ts";
import type { Lines } from "./outbox.ts";
import type { ConnectionQuality } from "./quality.ts";
import { EMPTY_ROOM } from "./room.ts";
import type { Streams } from "./slots.ts";
import type { TrackKey } from "./track.ts";

export type CallStatus =
  | { readonly name: "idle" | "joining" | "joined" }
  /** One is at the door until somebody lets one in; also while the connection is lost. */
  | { readonly name: "waiting" }
  /** It comes back by itself. The room may have asked for a pause before that (milliseconds). */
  | { readonly name: "reconnecting"; readonly pauseMs: number }
  | { readonly name: "ended"; readonly reason: CloseReason }
  /** The room could not be entered; `join` may be called again. */
  | { readonly name: "failed"; readonly error: unknown };

export interface CallState {
  readonly status: CallStatus;
  readonly media: MediaStatus;
  readonly room: Room | null;
  /** This client among the participants. */
  readonly you: ParticipantId | null;
  /** How the room is set. */
  readonly settings: Settings;
  readonly participants: readonly Participant[];
  readonly chat: readonly ChatMessage[];
  /** What there is before the first of these lines. */
  readonly earlier: Earlier;
  /** Who types in the chat right now. */
  readonly typing: readonly ParticipantId[];
  /** Own lines of chat that are not stored yet, and those that did not go. */
  readonly outbox: Lines;
  /** The video that flows now, by track (see `trackKey`). */
  readonly streams: Streams;
  /** Tracks that the path to here cannot carry now. */
  readonly paused: ReadonlySet<TrackKey>;
  /** Who speaks now, the loudest first. */
  readonly speakers: readonly ParticipantId[];
  /** Who has spoken, the latest first. */
  readonly spoke: readonly ParticipantId[];
  readonly region: Region | null;
  readonly node: NodeId | null;
  readonly quality: ConnectionQuality;
  /** How media travels, as the node measures it; null until it has told. */
  readonly report: Quality | null;
  /** How everybody's media travels. */
  readonly reports: ReadonlyMap<ParticipantId, Quality>;
  /** What this client may send; null before it is in the room. */
  readonly caps: Caps | null;
  /** The microphone was turned off here, since one was in the room elsewhere too; until one turns it on. */
  readonly quiet: boolean;
  /** What is wrong with the call right now, in words; null when all is well. */
  readonly notice: string | null;
  /** Something that one asked for and did not get, in words; until it is dismissed. */
  readonly refusal: string | null;
}

/** Before the call, and after it. */
export const INITIAL: CallState = {
  status: { name: "idle" },
  media: { name: "idle" },
  room: null,
  you: null,
  ...EMPTY_ROOM,
  ...NO_CHAT,
  outbox: [],
  streams: new Map(),
  paused: new Set(),
  speakers: [],
  spoke: [],
  region: null,
  node: null,
  quality: "unknown",
  report: null,
  reports: new Map(),
  caps: null,
  quiet: false,
  notice: null,
  refusal: null,
};
