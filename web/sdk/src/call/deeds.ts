// Deeds: what one asks of the room, again after a loss, until it is seen to be done, is refused, or has taken too long.
import type { ClientMessage } from "../generated/protocol.ts";
import type { Refusal } from "./signaling.ts";

/** A loss is noticed, and the room dialed again, in less; later than this, nobody expects it to be done any more. */
const DONE_WITHIN_MS = 15_000;

export interface Deed {
  readonly message: ClientMessage;
  /** What it is about: of two that contradict each other, the last one counts. */
  readonly about: string;
  /** Whether the room, as it is known here, says that it is done. */
  isDone(): boolean;
  onDone?(): void;
}

export interface DeedHandlers {
  /** Tells the room, and says whether it could be told. */
  send(message: ClientMessage): boolean;
  /** Why something is not done, in words; null when something else is asked for. */
  onRefused(why: string | null): void;
}

interface Open {
  readonly deed: Deed;
  readonly timer: ReturnType<typeof setTimeout>;
  again?: ReturnType<typeof setTimeout>;
  /** What is said when it takes too long. */
  why: string;
}

/** What is asked for and not done yet. */
export class Deeds {
  readonly #handlers: DeedHandlers;
  readonly #open = new Map<string, Open>();

  constructor(handlers: DeedHandlers) {
    this.#handlers = handlers;
  }

  do(deed: Deed): void {
    const sent = this.#handlers.send(deed.message);
    this.#handlers.onRefused(sent ? null : "you are not connected right now");
    if (!sent) return;
    const { about } = deed;
    this.#close(about);
    const timer = setTimeout(() => this.#giveUp(about), DONE_WITHIN_MS);
    this.#open.set(about, { deed, timer, why: "the room did not answer" });
  }

  /** The room may be another by now. */
  look(): void {
    for (const [about, { deed }] of this.#open) {
      if (!deed.isDone()) continue;
      this.#close(about);
      deed.onDone?.();
    }
  }

  /** The room tells that this was done, and how it is does not show it. */
  settle(isIt: (message: ClientMessage) => boolean): void {
    for (const [about, { deed }] of this.#open) if (isIt(deed.message)) this.#close(about);
  }

  /** The room listens again. What it had heard before does no harm twice. */
  again(): void {
    for (const { deed } of this.#open.values()) this.#handlers.send(deed.message);
  }

  /** The room refuses something, for a while or for good. What is done already was refused the second time alone. */
  refused({ of, nonce, message, retryAfterMs }: Refusal): void {
    const isIt = ({ message }: Deed) =>
      message.type === of && (!("nonce" in message) || message.nonce === nonce);
    const refused = [...this.#open.values()].filter(({ deed }) => isIt(deed));
    if (retryAfterMs !== null) {
      for (const open of refused) this.#retry(open, retryAfterMs, message);
      return;
    }
    for (const { deed } of refused) this.#close(deed.about);
    if (refused.length > 0) this.#handlers.onRefused(message);
  }

  /** Nothing of it is wanted any more. */
  clear(): void {
    for (const about of [...this.#open.keys()]) this.#close(about);
  }

  #retry(open: Open, ms: number, why: string): void {
    open.why = why;
    clearTimeout(open.again);
    open.again = setTimeout(() => this.#handlers.send(open.deed.message), ms);
  }

  #giveUp(about: string): void {
    const why = this.#open.get(about)?.why ?? null;
    this.#close(about);
    this.#handlers.onRefused(why);
  }

  #close(about: string): void {
    const open = this.#open.get(about);
    clearTimeout(open?.timer);
    clearTimeout(open?.again);
    this.#open.delete(about);
  }
}
