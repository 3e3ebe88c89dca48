// What a call is about beside its own life: each subject is made here, once, and all of them are handed what the room says.
import type { ClientMediaMessage, ParticipantId } from "../generated/protocol.ts";
import type { Ask } from "./asks.ts";
import { Breakouts } from "./breakouts.ts";
import { Captions } from "./captions.ts";
import type { DeedHandlers } from "./deeds.ts";
import { Door } from "./door.ts";
import { Hands } from "./hands.ts";
import { Notes } from "./notes.ts";
import { Polls } from "./polls.ts";
import { Reactions } from "./reactions.ts";
import { Reading } from "./reading.ts";
import { Spotlight } from "./spotlight.ts";
import { Stage } from "./stage.ts";
import { asOne, type Subject } from "./subject.ts";

export interface SubjectHandlers extends DeedHandlers {
  you(): ParticipantId | null;
  ask(ask: Ask): void;
  /** Says a line to everybody, in which breakout room ever they are. */
  announce(text: string): void;
  /** Tells the media node. */
  tell(message: ClientMediaMessage): void;
}

/** The subjects by their names, as a page uses them of its call. */
export abstract class Subjects {
  readonly polls: Polls;
  /** What everybody writes together. */
  readonly notes: Notes;
  /** What is said, as text. */
  readonly captions: Captions;
  readonly hands: Hands;
  readonly reactions: Reactions;
  /** Up to where this user has read the chat. */
  readonly reading: Reading;
  readonly spotlight: Spotlight;
  readonly stage: Stage;
  readonly breakouts: Breakouts;
  /** Who comes in. */
  readonly door: Door;
  /** All of them as one. */
  protected readonly subjects: Subject;

  protected constructor(handlers: SubjectHandlers) {
    const { send, you } = handlers;
    this.polls = new Polls(handlers);
    this.notes = new Notes(send);
    this.captions = new Captions((message) => handlers.tell(message), you);
    this.hands = new Hands(handlers, you);
    this.reactions = new Reactions(send);
    this.reading = new Reading(send);
    this.spotlight = new Spotlight(handlers);
    this.stage = new Stage(handlers, you);
    this.breakouts = new Breakouts(handlers);
    this.door = new Door(handlers);
    const signs = [this.hands, this.reactions, this.spotlight];
    const rest = [this.stage, this.breakouts, this.door];
    this.subjects = asOne([this.reading, this.polls, this.notes, ...signs, ...rest]);
  }
}
