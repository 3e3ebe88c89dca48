// The chat of a call: what one says and changes, the history page by page, and who types.
import type {
  ChatMessage,
  ChatPage,
  ChatReaction,
  ClientMessage,
  ParticipantId,
  RoomEvent,
  Snapshot,
} from "../generated/protocol.ts";
import type { Ask } from "./asks.ts";
import type { About, Outbox } from "./outbox.ts";
import type { OtherMessage, Refusal } from "./signaling.ts";
import type { Ending, Subject } from "./subject.ts";

/** Lines of a page of the history. */
const PAGE = 100;
/** A page that does not come within this time is asked for again when somebody wants it. */
const PAGE_WITHIN_MS = 10_000;
/** That one types is told no more often than this. */
const TYPING_EVERY_MS = 3_000;
/** Somebody of whom nothing more is heard has stopped typing. */
const TYPES_FOR_MS = 5_000;

/**
 * What there is before the first line that is shown: more, it may be; nothing, since it is the first; or lines that the room
 * does not keep any more.
 */
export type Earlier = "some" | "loading" | "none" | "gone";

export interface ChatShown {
  readonly earlier: Earlier;
  /** Who types for everybody right now. */
  readonly typing: readonly ParticipantId[];
}

export const NO_CHAT: ChatShown = { earlier: "none", typing: [] };

export interface ChatHandlers {
  /** Tells the room, and says whether it could be told. */
  send(message: ClientMessage): boolean;
  /** Asks for something that the room may refuse. */
  ask(ask: Ask): void;
  /** These lines are before the first one that is shown. */
  onEarlier(lines: readonly ChatMessage[]): void;
  /** Other lines are shown, as those of a breakout room; before this one there may be more. */
  onOthers(lines: readonly ChatMessage[], before: string | undefined): void;
  onChange(shown: ChatShown): void;
}

/** The chat, as a page uses it: `call.chat`. */
export class Chat implements Subject {
  readonly #handlers: ChatHandlers;
  readonly #outbox: Outbox;
  #shown: ChatShown = NO_CHAT;
  /** The first line that is shown, and before which one more can be asked for. */
  #first: string | null = null;
  #next: string | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #toldTypingAt = Number.NEGATIVE_INFINITY;
  readonly #typing = new Map<ParticipantId, ReturnType<typeof setTimeout>>();

  constructor(outbox: Outbox, handlers: ChatHandlers) {
    this.#outbox = outbox;
    this.#handlers = handlers;
  }

  /** Says a line. It stays in the outbox until the room has stored it, or says that it will not. */
  say(text: string, about: About = {}): void {
    this.#toldTypingAt = Number.NEGATIVE_INFINITY;
    this.#outbox.say(text, about);
  }

  /** Sends a line of the outbox again that did not go. */
  retry(nonce: string): void {
    this.#outbox.retry(nonce);
  }

  /** Takes a line out of the outbox. */
  drop(nonce: string): void {
    this.#outbox.drop(nonce);
  }

  /** Gives an own line another text. */
  edit(id: string, text: string): void {
    this.#handlers.ask({ type: "editChat", id, text });
  }

  /** Takes the text of an own line away for good; as one who keeps order, of any. */
  remove(id: string): void {
    this.#handlers.ask({ type: "deleteChat", id });
  }

  /** Says how one feels about a line, or that one does no more. */
  react(id: string, reaction: ChatReaction, on: boolean): void {
    this.#handlers.ask({ type: "reactToChat", id, reaction, on });
  }

  /** Tells that one types something for everybody: call it at each key. */
  readonly types = (): void => {
    const now = performance.now();
    if (now - this.#toldTypingAt < TYPING_EVERY_MS) return;
    if (this.#handlers.send({ type: "typing" })) this.#toldTypingAt = now;
  };

  /** Brings a page of lines from before the first one that is shown. */
  readonly showEarlier = (): void => {
    if (this.#shown.earlier !== "some" || this.#next === null) return;
    if (!this.#handlers.send({ type: "chatHistory", before: this.#next, limit: PAGE })) return;
    this.#timer = setTimeout(() => this.#change({ earlier: "some" }), PAGE_WITHIN_MS);
    this.#change({ earlier: "loading" });
  };

  /**
   * For the call: these lines are shown, the oldest first. Some before them may have been dropped; and where none is shown at
   * first, the room knows before which there may be some.
   */
  shows(lines: readonly ChatMessage[], before?: string): void {
    const first = lines[0]?.id ?? null;
    const beginsEmpty = first === null && before !== undefined;
    if (first === this.#first && !beginsEmpty) return;
    clearTimeout(this.#timer);
    this.#first = first;
    this.#next = first ?? before ?? null;
    this.#change({ earlier: this.#next === null || this.#next === "1" ? "none" : "some" });
  }

  welcome(snapshot: Snapshot | null): void {
    this.#outbox.open(snapshot?.chat ?? []);
  }

  happen(event: RoomEvent): void {
    if (event.type === "chat") {
      // It comes before the acknowledgment, and is not to stand there twice in between.
      this.#outbox.drop(event.message.nonce);
      this.#silent(event.message.participant);
    }
    if (event.type === "left") this.#silent(event.participant);
  }

  receive(message: OtherMessage): void {
    if (message.type === "chatAccepted") this.#outbox.drop(message.nonce);
    if (message.type === "chatPage") this.#page(message);
    if (message.type === "chatShown") this.#handlers.onOthers(message.lines, message.before);
    if (message.type === "typing") this.#heardTyping(message.participant);
  }

  refused(refusal: Refusal): void {
    this.#outbox.refused(refusal);
    if (refusal.of !== "chatHistory" || this.#shown.earlier !== "loading") return;
    this.#pageLost();
    // Who goes on over what they are not shown may be too fast, and goes on all the same.
    if (refusal.retryAfterMs !== null) this.#timer = setTimeout(this.showEarlier, refusal.retryAfterMs);
  }

  /** A page that was on its way is lost as well. */
  lost(): void {
    this.#outbox.close();
    this.#pageLost();
  }

  /** What one has written waits for another try, unless one is through with the call. */
  end(ending: Ending): void {
    if (ending === "failed") this.#outbox.close();
    else if (ending === "left") this.#outbox.clear();
    else this.#outbox.stop();
    clearTimeout(this.#timer);
    for (const timer of this.#typing.values()) clearTimeout(timer);
    this.#typing.clear();
    this.#first = null;
    this.#next = null;
    this.#change(NO_CHAT);
  }

  #page({ before, lines, next, gone }: ChatPage): void {
    if (before !== this.#next || this.#shown.earlier !== "loading") return;
    clearTimeout(this.#timer);
    this.#handlers.onEarlier(lines);
    this.#next = next;
    this.#change({ earlier: next !== null ? "some" : gone ? "gone" : "none" });
    // What is between others is not shown: one goes on until there is something to see.
    if (lines.length === 0) this.showEarlier();
  }

  #heardTyping(participant: ParticipantId): void {
    clearTimeout(this.#typing.get(participant));
    this.#typing.set(
      participant,
      setTimeout(() => this.#stopped(participant), TYPES_FOR_MS),
    );
    this.#change({ typing: [...this.#typing.keys()] });
  }

  /** Somebody has said something, or has left. */
  #silent(participant: ParticipantId): void {
    if (this.#typing.has(participant)) this.#stopped(participant);
  }

  #pageLost(): void {
    clearTimeout(this.#timer);
    if (this.#shown.earlier === "loading") this.#change({ earlier: "some" });
  }

  #stopped(participant: ParticipantId): void {
    clearTimeout(this.#typing.get(participant));
    this.#typing.delete(participant);
    this.#change({ typing: [...this.#typing.keys()] });
  }

  #change(changed: Partial<ChatShown>): void {
    this.#shown = { ...this.#shown, ...changed };
    this.#handlers.onChange(this.#shown);
  }
}
