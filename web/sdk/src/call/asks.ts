// What one asks of the room about people and settings, and when that is done.
import type {
  Caps,
  CapsChange,
  ChatMessage,
  ClientMessage,
  Participant,
  ParticipantId,
  Publishing,
  Role,
  RoomEvent,
  ServerMessage,
  Settings,
  SettingsChange,
  Source,
} from "../generated/protocol.ts";
import { isSame } from "../store.ts";
import { type DeedHandlers, Deeds } from "./deeds.ts";
import { elsewhereOf } from "./elsewhere.ts";
import { EMPTY_ROOM } from "./room.ts";
import type { OtherMessage, Refusal } from "./signaling.ts";
import type { Subject } from "./subject.ts";

export type Ask = Extract<
  ClientMessage,
  {
    type:
      | "setCaps"
      | "turnOff"
      | "askToUnmute"
      | "muteAll"
      | "setRole"
      | "configure"
      | "remove"
      | "ban"
      | "moveHere"
      | "takeAccount"
      | "editChat"
      | "deleteChat"
      | "reactToChat";
  }
>;

/** What the room tells of something that leaves no trace in how it is. */
type Told = RoomEvent | Extract<ServerMessage, { type: "askedToUnmute" }>;

export interface AskHandlers extends DeedHandlers {
  /** The call is here alone, as was asked for. */
  onMoved(): void;
}

/** The room, as far as it says what is done. */
interface Known {
  readonly settings: Settings;
  readonly participants: readonly Participant[];
  readonly chat: readonly ChatMessage[];
}

/** What is asked for and not done yet. */
export class Asks implements Subject {
  readonly #handlers: AskHandlers;
  readonly #deeds: Deeds;
  #room: Known = EMPTY_ROOM;
  #you: ParticipantId | null = null;

  constructor(handlers: AskHandlers) {
    this.#handlers = handlers;
    this.#deeds = new Deeds(handlers);
  }

  ask(ask: Ask): void {
    const isDone = () => isDoneIn(this.#room, this.#you, ask);
    const onDone = () => ask.type === "moveHere" && this.#handlers.onMoved();
    this.#deeds.do({ message: ask, about: aboutOf(ask), isDone, onDone });
  }

  /** The room is as it says now. */
  look(room: Known, you: ParticipantId | null): void {
    this.#room = room;
    this.#you = you;
    this.#deeds.look();
  }

  welcome(): void {
    this.#deeds.again();
  }

  happen(event: RoomEvent): void {
    this.#deeds.settle((ask) => tells(event, ask));
  }

  receive(message: OtherMessage): void {
    if (message.type === "askedToUnmute") this.#deeds.settle((ask) => tells(message, ask));
  }

  refused(refusal: Refusal): void {
    this.#deeds.refused(refusal);
  }

  end(): void {
    this.#deeds.clear();
  }
}

function aboutOf(ask: Ask): string {
  if (ask.type === "moveHere" || ask.type === "takeAccount" || ask.type === "muteAll") return ask.type;
  if (ask.type === "configure") return `${ask.type} ${Object.keys(ask.change).sort()}`;
  if (ask.type === "setCaps") return `${ask.type} ${ask.participant} ${Object.keys(ask.caps).sort()}`;
  if (ask.type === "turnOff") return `${ask.type} ${ask.participant} ${ask.source}`;
  if (ask.type === "reactToChat") return `${ask.type} ${ask.id} ${ask.reaction}`;
  if (ask.type === "editChat" || ask.type === "deleteChat") return `${ask.type} ${ask.id}`;
  return `${ask.type} ${ask.participant}`;
}

function isDoneIn({ settings, participants, chat }: Known, you: ParticipantId | null, ask: Ask): boolean {
  if (ask.type === "moveHere") return elsewhereOf(participants, you).length === 0;
  if (ask.type === "takeAccount") return participants.some(({ id, guest }) => id === you && guest === false);
  if (ask.type === "configure") return isSet(settings, ask.change);
  if (ask.type === "muteAll") {
    const isSettled = ask.mute !== "soft" && settings.speak === "moderators";
    return isSettled || participants.filter(({ role }) => !keepsOrder(role)).every(isMuted(ask.mute));
  }
  if (ask.type === "editChat" || ask.type === "deleteChat" || ask.type === "reactToChat") {
    return isDoneToLine(
      ask,
      chat.find(({ id }) => id === ask.id),
    );
  }
  const about = participants.find(({ id }) => id === ask.participant);
  if (about === undefined) return true;
  if (ask.type === "setRole") return about.role === ask.role || isBackAsGuest(about, ask.role);
  if (ask.type === "turnOff") return !sends(about.publishing, ask.source);
  return ask.type === "setCaps" && isSet(about.caps, ask.caps);
}

/** A guest who is to be a speaker is, in a meeting, a guest again. */
function isBackAsGuest({ guest, role }: Participant, asked: Role): boolean {
  return guest && role === "guest" && asked === "speaker";
}

function isDoneToLine(
  ask: Extract<Ask, { type: "editChat" | "deleteChat" | "reactToChat" }>,
  line: ChatMessage | undefined,
): boolean {
  if (line === undefined || line.deleted === true) return true;
  if (ask.type === "deleteChat") return false;
  if (ask.type === "editChat") return line.text === ask.text;
  return (
    (line.reactions?.some(({ reaction, mine }) => mine && reaction === ask.reaction) ?? false) === ask.on
  );
}

/** What is said of somebody, and not of how they are from then on. */
function tells(told: Told, ask: ClientMessage): boolean {
  if (told.type === "askedToUnmute") {
    return ask.type === "askToUnmute" && ask.participant === told.participant;
  }
  if (told.type !== "turnedOff") return false;
  if (ask.type === "muteAll") return ask.mute === "soft" && told.source === "microphone";
  return ask.type === "turnOff" && ask.source === told.source && told.participants.includes(ask.participant);
}

function isMuted(mute: "soft" | "hard" | "lifted"): (person: Participant) => boolean {
  if (mute === "soft") return ({ publishing }) => !publishing.microphone;
  return ({ caps, role }) => role === "viewer" || caps.audio === (mute === "lifted");
}

/** Whether somebody of this role keeps order. */
export function keepsOrder(role: Role | undefined): boolean {
  return role === "host" || role === "moderator";
}

function sends(publishing: Publishing, source: Source): boolean {
  return publishing[source === "screenAudio" ? "screen" : source];
}

function isSet(settings: Settings, change: SettingsChange): boolean;
function isSet(caps: Caps, change: CapsChange): boolean;
function isSet<T extends object>(before: T, change: Partial<T>): boolean {
  return isSame({ ...before, ...change }, before);
}
