// Signs of life on the signaling connection: a ping at a steady pace, and an answer in time.

/**
 * The room takes somebody whose pings stay away for gone, so they come whatever else is said. Browsers slow the timers of
 * a hidden page down to one a second at most, and further, to one a minute, where they find no live track of a peer
 * connection. What comes over the WebSocket is never slowed: so that is an occasion, too.
 */
const PING_EVERY_MS = 5_000;
/** When nothing has come within this time after a ping, the connection is lost. */
const ANSWER_WITHIN_MS = 5_000;
/** The same when there is reason to doubt it. */
const ANSWER_SOON_MS = 1_000;
/** A timer that is so late belongs to a page that slept: what has arrived meanwhile is not read yet. */
const ASLEEP_MS = 2_000;

export interface KeepAliveHandlers {
  ping(): void;
  /** Nothing comes any more. */
  onSilent(): void;
}

/** Watches one connection. */
export class KeepAlive {
  readonly #handlers: KeepAliveHandlers;
  readonly #pings: ReturnType<typeof setInterval>;
  #answer: ReturnType<typeof setTimeout> | undefined;
  #pingedAt = 0;

  constructor(handlers: KeepAliveHandlers) {
    this.#handlers = handlers;
    this.#pings = setInterval(() => this.#ping(), PING_EVERY_MS);
    this.#ping();
  }

  /** Something has come. */
  heard(): void {
    this.#settle();
    // A ping that is late by as much as it should take: the timers are slowed down.
    if (performance.now() - this.#pingedAt > 2 * PING_EVERY_MS) this.#ping();
  }

  /** There is reason to doubt the connection: it has to answer soon. */
  probe(): void {
    this.#handlers.ping();
    this.#expect(ANSWER_SOON_MS);
  }

  stop(): void {
    this.#settle();
    clearInterval(this.#pings);
  }

  #settle(): void {
    clearTimeout(this.#answer);
    this.#answer = undefined;
  }

  #ping(): void {
    this.#pingedAt = performance.now();
    this.#handlers.ping();
    // An answer that is due already stays due.
    if (this.#answer === undefined) this.#expect(ANSWER_WITHIN_MS);
  }

  #expect(withinMs: number): void {
    const due = performance.now() + withinMs;
    clearTimeout(this.#answer);
    this.#answer = setTimeout(() => {
      if (performance.now() - due > ASLEEP_MS) this.probe();
      else this.#handlers.onSilent();
    }, withinMs);
  }
}
