// Raised hands, in the order in which they were raised.
import type { ParticipantId, RoomEvent, Snapshot } from "../generated/protocol.ts";
import { type Readable, Store } from "../store.ts";
import { type DeedHandlers, Deeds } from "./deeds.ts";
import type { Refusal } from "./signaling.ts";
import type { Subject } from "./subject.ts";

type Order = readonly ParticipantId[];

/** Whose hands are up, the first first. */
export class Hands implements Subject {
  readonly #state = new Store<Order>([]);
  readonly #deeds: Deeds;
  readonly #you: () => ParticipantId | null;

  constructor(handlers: DeedHandlers, you: () => ParticipantId | null) {
    this.#deeds = new Deeds(handlers);
    this.#you = you;
  }

  get state(): Readable<Order> {
    return this.#state;
  }

  raise(): void {
    const isDone = () => this.#isUp(this.#you());
    this.#deeds.do({ message: { type: "raiseHand" }, about: `hand ${this.#you()}`, isDone });
  }

  /** Lowers one's own hand; as one who keeps order, anybody's. */
  lower(participant = this.#you()): void {
    if (participant === null) return;
    const isDone = () => !this.#isUp(participant);
    this.#deeds.do({ message: { type: "lowerHand", participant }, about: `hand ${participant}`, isDone });
  }

  /** As one who keeps order: lowers all. */
  lowerAll(): void {
    const isDone = () => this.#state.get().length === 0;
    this.#deeds.do({ message: { type: "lowerAllHands" }, about: "all hands", isDone });
  }

  welcome(snapshot: Snapshot | null): void {
    // A room of the release before says nothing of hands.
    if (snapshot !== null) this.#state.set(snapshot.hands ?? []);
    this.#deeds.look();
    this.#deeds.again();
  }

  happen(event: RoomEvent): void {
    this.#state.set(after(this.#state.get(), event));
    this.#deeds.look();
  }

  refused(refusal: Refusal): void {
    this.#deeds.refused(refusal);
  }

  end(): void {
    this.#deeds.clear();
    this.#state.set([]);
  }

  #isUp(id: ParticipantId | null): boolean {
    return id !== null && this.#state.get().includes(id);
  }
}

function after(order: Order, event: RoomEvent): Order {
  switch (event.type) {
    case "hand":
      if (event.raised) return order.includes(event.participant) ? order : [...order, event.participant];
      return order.filter((id) => id !== event.participant);
    case "left":
      return order.filter((id) => id !== event.participant);
    case "handsLowered":
      return [];
    default:
      return order;
  }
}
