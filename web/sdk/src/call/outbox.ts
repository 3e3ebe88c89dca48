// Own lines of chat until the room has stored them: one after the other, again where it says so, and an end to each.
import type { BreakoutId, ChatMessage, ClientMessage, UserId } from "../generated/protocol.ts";
import type { Refusal } from "./signaling.ts";

/** What a line is about beside its text. */
export interface About {
  /** The id of the line that it answers. */
  readonly replyTo?: string;
  /** The users whom it mentions: `@` and their names stand in the text. */
  readonly mentions?: UserId[];
  /** The one user who is to see it beside oneself. */
  readonly to?: UserId;
  /** Whether everybody is to see it, in which breakout room ever they are. */
  readonly broadcast?: boolean;
}

/** A line that the room has not stored yet. */
export interface PendingLine {
  /** The line's own name: the room stores it once, however often it comes. */
  readonly nonce: string;
  readonly text: string;
  readonly about?: About;
  /** The breakout room in which it was written; null for the main room. */
  readonly breakout?: BreakoutId | null;
  /** Why it did not go, in words; null while it is on its way. */
  readonly refused: string | null;
}

export type Lines = readonly PendingLine[];

/** An open connection that does not answer a line within this time has lost it, or the answer. */
const ANSWERED_WITHIN_MS = 5_000;
/** After so many tries a line is given up, until somebody wants it to be sent again. */
const TRIES = 6;
/** A room of an older release says that there was too much, but not for how long. */
const PAUSE_MS = 1_000;

export interface OutboxHandlers {
  /** Tells the room, and says whether it could be told. */
  send(message: ClientMessage): boolean;
  /** The breakout room in which one is; null for the main room. */
  place(): BreakoutId | null;
  onChange(lines: Lines): void;
}

/**
 * The lines that one has written. Only the first is with the room at a time, so that they are stored in the order in which
 * they were written, whatever is refused and sent again.
 */
export class Outbox {
  readonly #handlers: OutboxHandlers;
  #lines: Lines = [];
  #isOpen = false;
  /** The line that the room has been sent and that is not settled. */
  #current: string | null = null;
  #tries = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(handlers: OutboxHandlers) {
    this.#handlers = handlers;
  }

  say(text: string, about: About = {}): void {
    const breakout = this.#handlers.place();
    this.#change([...this.#lines, { nonce: crypto.randomUUID(), text, about, breakout, refused: null }]);
    this.#next();
  }

  /** A line that did not go is sent again, to where one is now. */
  retry(nonce: string): void {
    const anew = { breakout: this.#handlers.place(), refused: null };
    this.#change(this.#lines.map((line) => (line.nonce === nonce ? { ...line, ...anew } : line)));
    this.#next();
  }

  /** A line is not to be sent any more. */
  drop(nonce: string): void {
    this.#change(this.#lines.filter((line) => line.nonce !== nonce));
    if (this.#current === nonce) this.#settle();
  }

  /** The room listens, from now on or again, and shows these lines already. */
  open(stored: readonly ChatMessage[]): void {
    this.close();
    this.#isOpen = true;
    const known = new Set(stored.map(({ nonce }) => nonce));
    this.#change(this.#lines.filter(({ nonce }) => !known.has(nonce)));
    this.#next();
  }

  /** The room cannot be told anything. Lines wait. */
  close(): void {
    clearTimeout(this.#timer);
    this.#isOpen = false;
    this.#current = null;
    this.#tries = 0;
  }

  /** The room refuses something. */
  refused({ nonce, of, code, message, retryAfterMs }: Refusal): void {
    const isUnsaid = nonce === null && of === null && code === "rateLimited";
    const isOurs = nonce === null ? of === "chat" || isUnsaid : nonce === this.#current;
    if (this.#current === null || !isOurs) return;
    const pause = retryAfterMs ?? (isUnsaid ? PAUSE_MS : null);
    if (pause === null) this.#giveUp(message);
    else this.#retryAfter(pause, message);
  }

  /** The call is over, and nobody has ended it here: nothing goes out by itself any more. */
  stop(): void {
    this.close();
    const why = "The call was over before.";
    this.#change(this.#lines.map((line) => ({ ...line, refused: line.refused ?? why })));
  }

  /** Nothing of it is wanted any more. */
  clear(): void {
    this.close();
    this.#change([]);
  }

  #next(): void {
    const line = this.#lines.find(({ refused }) => refused === null);
    if (!this.#isOpen || this.#current !== null || line === undefined) return;
    const { nonce, text, about, breakout = null } = line;
    // One may be elsewhere by now: the room says so, and whoever wrote it decides.
    if (!this.#handlers.send({ type: "chat", nonce, text, ...about, breakout })) return;
    this.#current = nonce;
    this.#timer = setTimeout(() => this.#retryAfter(0, "The room did not answer."), ANSWERED_WITHIN_MS);
  }

  #retryAfter(ms: number, why: string): void {
    this.#tries += 1;
    if (this.#tries >= TRIES) return this.#giveUp(why);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#current = null;
      this.#next();
    }, ms);
  }

  #giveUp(why: string): void {
    const given = this.#current;
    this.#change(this.#lines.map((line) => (line.nonce === given ? { ...line, refused: why } : line)));
    this.#settle();
  }

  /** The line that was with the room is not any more. */
  #settle(): void {
    clearTimeout(this.#timer);
    this.#current = null;
    this.#tries = 0;
    this.#next();
  }

  #change(lines: Lines): void {
    this.#lines = lines;
    this.#handlers.onChange(lines);
  }
}
