// Reactions: shown for a moment, and kept nowhere.
import type { ClientMessage, ParticipantId, Reaction } from "../generated/protocol.ts";
import { type Readable, Store } from "../store.ts";
import type { OtherMessage } from "./signaling.ts";
import type { Subject } from "./subject.ts";

/** For how long a reaction is shown, and how many at once. */
const SHOWN_FOR_MS = 5_000;
const MOST = 20;

export interface ShownReaction {
  /** Tells it from the others that are shown. */
  readonly id: number;
  readonly participant: ParticipantId;
  readonly reaction: Reaction;
}

/** The reactions that are to be seen now, the oldest first. */
export class Reactions implements Subject {
  readonly #state = new Store<readonly ShownReaction[]>([]);
  readonly #send: (message: ClientMessage) => boolean;
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  #count = 0;

  constructor(send: (message: ClientMessage) => boolean) {
    this.#send = send;
  }

  get state(): Readable<readonly ShownReaction[]> {
    return this.#state;
  }

  /** Shows something to everybody. One that is lost, or too many, is not shown: it would be late. */
  show(reaction: Reaction): void {
    this.#send({ type: "react", reaction });
  }

  receive(message: OtherMessage): void {
    if (message.type !== "reacted") return;
    this.#count += 1;
    const id = this.#count;
    const { participant, reaction } = message;
    this.#state.set([...this.#state.get(), { id, participant, reaction }].slice(-MOST));
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#state.set(this.#state.get().filter((shown) => shown.id !== id));
    }, SHOWN_FOR_MS);
    this.#timers.add(timer);
  }

  end(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#state.set([]);
  }
}
