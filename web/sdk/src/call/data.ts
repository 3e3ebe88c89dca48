// Data: what a program of the room's owner says to the pages of those in the room. What it means is between the two.
import type { OtherMessage } from "./signaling.ts";
import type { Subject } from "./subject.ts";

/** Hands what comes to whoever listens just then; it is kept nowhere. */
export class Data implements Subject {
  readonly #listeners = new Set<(data: string) => void>();

  /** Listens until the function that is returned is called. */
  subscribe(listener: (data: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  receive(message: OtherMessage): void {
    if (message.type !== "data") return;
    for (const listener of this.#listeners) listener(message.data);
  }
}
