// The spotlight: whom everybody sees first and large, because who keeps order wants it so.
import type { ParticipantId, RoomEvent, Snapshot } from "../generated/protocol.ts";
import { type Readable, Store } from "../store.ts";
import { type DeedHandlers, Deeds } from "./deeds.ts";
import type { Refusal } from "./signaling.ts";
import type { Subject } from "./subject.ts";

type Spotlit = readonly ParticipantId[];

/** Who is in the spotlight, the first first. */
export class Spotlight implements Subject {
  readonly #state = new Store<Spotlit>([]);
  readonly #deeds: Deeds;

  constructor(handlers: DeedHandlers) {
    this.#deeds = new Deeds(handlers);
  }

  get state(): Readable<Spotlit> {
    return this.#state;
  }

  /** As one who keeps order: puts somebody into the spotlight, or takes them out of it. */
  set(participant: ParticipantId, on: boolean): void {
    const isDone = () => this.#state.get().includes(participant) === on;
    const about = `spotlight ${participant}`;
    this.#deeds.do({ message: { type: "spotlight", participant, on }, about, isDone });
  }

  welcome(snapshot: Snapshot | null): void {
    // A room of the release before says nothing of a spotlight.
    if (snapshot !== null) this.#state.set(snapshot.spotlight ?? []);
    this.#deeds.look();
    this.#deeds.again();
  }

  happen(event: RoomEvent): void {
    if (event.type === "spotlight") this.#state.set(event.participants);
    if (event.type === "left" && this.#state.get().includes(event.participant)) {
      this.#state.set(this.#state.get().filter((id) => id !== event.participant));
    }
    this.#deeds.look();
  }

  refused(refusal: Refusal): void {
    this.#deeds.refused(refusal);
  }

  end(): void {
    this.#deeds.clear();
    this.#state.set([]);
  }
}
