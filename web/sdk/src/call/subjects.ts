// What a call is about beside its own life: each subject is made here, once, and all of them are handed what the room says.
import type { ChatMessage, ClientMediaMessage, ParticipantId } from "../generated/protocol.ts";
import { type Ask, type AskHandlers, Asks } from "./asks.ts";
import { Breakouts, breakoutOf } from "./breakouts.ts";
import { Captions } from "./captions.ts";
import { Chat, type ChatShown } from "./chat.ts";
import { Data } from "./data.ts";
import { Door } from "./door.ts";
import { Hands } from "./hands.ts";
import type { LocalMedia } from "./local-media.ts";
import type { LocalScreen } from "./local-screen.ts";
import { Moderation } from "./moderation.ts";
import { Notes } from "./notes.ts";
import { type Lines, Outbox } from "./outbox.ts";
import { Polls } from "./polls.ts";
import { Reactions } from "./reactions.ts";
import { Reading } from "./reading.ts";
import { Spotlight } from "./spotlight.ts";
import { Stage } from "./stage.ts";
import { asOne, type Subject } from "./subject.ts";

export interface SubjectHandlers extends AskHandlers {
  you(): ParticipantId | null;
  ask(ask: Ask): void;
  /** Tells the media node. */
  tell(message: ClientMediaMessage): void;
  /** Own lines that the room has not stored are others now. */
  onOutbox(lines: Lines): void;
  onChat(shown: ChatShown): void;
  /** These lines are before the first one that is shown. */
  onEarlier(lines: readonly ChatMessage[]): void;
  /** Other lines are shown from now on. */
  onOthers(lines: readonly ChatMessage[], before: string | undefined): void;
}

/** The subjects by their names, as a page uses them of its call. */
export abstract class Subjects {
  /** Microphone and camera; they work before the call, too. */
  readonly local: LocalMedia;
  /** The screen that is shared. */
  readonly screen: LocalScreen;
  /** The chat; its lines are in `state`. */
  readonly chat: Chat;
  /** Keeping order, and being kept in it. */
  readonly moderation: Moderation;
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
  /** What programs of the room's owner say. */
  readonly data = new Data();
  /** Who comes in. */
  readonly door: Door;
  /** What is asked about people and settings. */
  protected readonly asks: Asks;
  /** All of them as one. */
  protected readonly subjects: Required<Subject>;

  protected constructor(local: LocalMedia, screen: LocalScreen, handlers: SubjectHandlers) {
    const { send, you, ask, onEarlier, onOthers } = handlers;
    this.local = local;
    this.screen = screen;
    this.asks = new Asks(handlers);
    const place = () => breakoutOf(this.breakouts.state.get(), you());
    const outbox = new Outbox({ send, place, onChange: (lines) => handlers.onOutbox(lines) });
    const onChange = (shown: ChatShown) => handlers.onChat(shown);
    this.chat = new Chat(outbox, { send, ask, onEarlier, onOthers, onChange });
    this.moderation = new Moderation(ask, local, screen, you);
    this.polls = new Polls(handlers);
    this.notes = new Notes(send);
    this.captions = new Captions((message) => handlers.tell(message), you);
    local.state.subscribe(() => this.captions.hears(local.state.get().microphone.on));
    this.hands = new Hands(handlers, you);
    this.reactions = new Reactions(send);
    this.reading = new Reading(send);
    this.spotlight = new Spotlight(handlers);
    this.stage = new Stage(handlers, you);
    const announce = (text: string) => this.chat.say(text, { broadcast: true });
    this.breakouts = new Breakouts({ ...handlers, announce });
    this.door = new Door(handlers);
    const signs = [this.hands, this.reactions, this.spotlight, this.stage, this.data];
    const written = [this.reading, this.polls, this.notes, this.captions, this.chat];
    this.subjects = asOne([this.asks, this.moderation, ...signs, this.breakouts, this.door, ...written]);
  }
}
