// What one asks of the room: again after a loss, until it is seen to be done, is refused, or has taken too long.
import type {
  Caps,
  CapsChange,
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
import { elsewhereOf } from "./elsewhere.ts";
import type { Refusal } from "./signaling.ts";

/** A loss is noticed, and the room dialed again, in less; later than this, nobody expects it to be done any more. */
const DONE_WITHIN_MS = 15_000;

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
      | "moveHere"
      | "takeAccount";
  }
>;

/** What the room tells of something that leaves no trace in how it is. */
type Told = RoomEvent | Extract<ServerMessage, { type: "askedToUnmute" }>;

export interface AskHandlers {
  /** Tells the room, and says whether it could be told. */
  send(ask: Ask): boolean;
  /** Why something is not done, in words; null when something else is asked for. */
  onRefused(why: string | null): void;
  /** The call is here alone, as was asked for. */
  onMoved(): void;
}

interface Open {
  readonly ask: Ask;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** What is asked for and not done yet. */
export class Asks {
  readonly #handlers: AskHandlers;
  /** By what each is about: of two that contradict each other, the last one counts. */
  readonly #open = new Map<string, Open>();

  constructor(handlers: AskHandlers) {
    this.#handlers = handlers;
  }

  ask(ask: Ask): void {
    const sent = this.#handlers.send(ask);
    this.#handlers.onRefused(sent ? null : "you are not connected right now");
    if (!sent) return;
    const about = aboutOf(ask);
    this.#close(about);
    const timer = setTimeout(() => this.#giveUp(about), DONE_WITHIN_MS);
    this.#open.set(about, { ask, timer });
  }

  /** The room is as it says now. */
  look(room: { settings: Settings; participants: readonly Participant[] }, you: ParticipantId | null): void {
    for (const [about, { ask }] of this.#open) {
      if (!isDone(ask, room.settings, room.participants, you)) continue;
      this.#close(about);
      if (ask.type === "moveHere") this.#handlers.onMoved();
    }
  }

  /** The room tells that something was done. */
  told(told: Told): void {
    for (const [about, { ask }] of this.#open) if (tells(told, ask)) this.#close(about);
  }

  /** The room listens again. What it had heard before does no harm twice. */
  again(): void {
    for (const { ask } of this.#open.values()) this.#handlers.send(ask);
  }

  /** The room refuses something. What is done already was refused the second time alone. */
  refused({ of, message }: Refusal): void {
    const refused = [...this.#open].filter(([, { ask }]) => ask.type === of);
    for (const [about] of refused) this.#close(about);
    if (refused.length > 0) this.#handlers.onRefused(message);
  }

  /** Nothing of it is wanted any more. */
  clear(): void {
    for (const about of [...this.#open.keys()]) this.#close(about);
  }

  #giveUp(about: string): void {
    this.#close(about);
    this.#handlers.onRefused("the room did not answer");
  }

  #close(about: string): void {
    clearTimeout(this.#open.get(about)?.timer);
    this.#open.delete(about);
  }
}

function aboutOf(ask: Ask): string {
  if (ask.type === "moveHere" || ask.type === "takeAccount" || ask.type === "muteAll") return ask.type;
  if (ask.type === "configure") return `${ask.type} ${Object.keys(ask.change).sort()}`;
  if (ask.type === "setCaps") return `${ask.type} ${ask.participant} ${Object.keys(ask.caps).sort()}`;
  if (ask.type === "turnOff") return `${ask.type} ${ask.participant} ${ask.source}`;
  return `${ask.type} ${ask.participant}`;
}

function isDone(
  ask: Ask,
  settings: Settings,
  people: readonly Participant[],
  you: ParticipantId | null,
): boolean {
  if (ask.type === "moveHere") return elsewhereOf(people, you).length === 0;
  if (ask.type === "takeAccount") return people.some(({ id, guest }) => id === you && guest === false);
  if (ask.type === "configure") return isSet(settings, ask.change);
  if (ask.type === "muteAll") {
    const isSettled = ask.mute !== "soft" && settings.speak === "moderators";
    return isSettled || people.filter(({ role }) => !keepsOrder(role)).every(isMuted(ask.mute));
  }
  const about = people.find(({ id }) => id === ask.participant);
  if (about === undefined) return true;
  if (ask.type === "setRole") return about.role === ask.role;
  if (ask.type === "turnOff") return !sends(about.publishing, ask.source);
  return ask.type === "setCaps" && isSet(about.caps, ask.caps);
}

/** What is said of somebody, and not of how they are from then on. */
function tells(told: Told, ask: Ask): boolean {
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
