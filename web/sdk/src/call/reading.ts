// Up to where this user has read the chat, on whichever device. The room keeps it for who has an account, and tells nobody else.
import type { ClientMessage } from "../generated/protocol.ts";
import { type Readable, Store } from "../store.ts";
import type { OtherMessage, Refusal } from "./signaling.ts";
import type { Subject } from "./subject.ts";

/** The room is told no more often than this: what it stores and wakes for is the last line of several. */
const EVERY_MS = 10_000;
/** Lines come in bursts: the first is waited for this long. */
const FIRST_MS = 1_000;

export class Reading implements Subject {
  /** The id of the last line that was read; null if that is not known. */
  readonly #state = new Store<string | null>(null);
  readonly #send: (message: ClientMessage) => boolean;
  #told: string | null = null;
  #toldAt = Number.NEGATIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(send: (message: ClientMessage) => boolean) {
    this.#send = send;
  }

  get state(): Readable<string | null> {
    return this.#state;
  }

  /** Somebody sees this line now, and those before it. */
  readonly upTo = (id: string): void => {
    if (!isAfter(id, this.#state.get())) return;
    this.#state.set(id);
    const wait = Math.max(FIRST_MS, this.#toldAt + EVERY_MS - performance.now());
    this.#timer ??= setTimeout(this.flush, wait);
  };

  /** Tells the room at once what it does not know yet, as before one leaves. */
  readonly flush = (): void => {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const id = this.#state.get();
    if (id === null || !isAfter(id, this.#told) || !this.#send({ type: "readChat", id })) return;
    this.#told = id;
    this.#toldAt = performance.now();
  };

  welcome(): void {
    // What was told just before the connection was lost may not have come.
    this.#told = null;
    if (this.#state.get() !== null) this.#timer ??= setTimeout(this.flush, FIRST_MS);
  }

  receive(message: OtherMessage): void {
    if (message.type !== "chatRead") return;
    if (isAfter(message.id, this.#told)) this.#told = message.id;
    if (isAfter(message.id, this.#state.get())) this.#state.set(message.id);
  }

  refused({ of }: Refusal): void {
    // The next line that is read tells of this one, too.
    if (of === "readChat") this.#told = null;
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#told = null;
    this.#state.set(null);
  }
}

function isAfter(id: string, other: string | null): boolean {
  return other === null || Number(id) > Number(other);
}
