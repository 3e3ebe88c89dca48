// Breakout rooms: which are open and until when, who is in which, and what is said to all of them.
import type {
  Breakout,
  BreakoutAssignment,
  BreakoutDraft,
  BreakoutId,
  BreakoutPlace,
  Breakouts as OpenBreakouts,
  ParticipantId,
  RoomEvent,
  Snapshot,
} from "../generated/protocol.ts";
import { type Readable, Store } from "../store.ts";
import { type DeedHandlers, Deeds } from "./deeds.ts";
import type { Refusal } from "./signaling.ts";
import type { Subject } from "./subject.ts";

/** What who keeps order has said to everybody. */
export interface Broadcast {
  readonly name: string;
  readonly text: string;
}

export interface BreakoutsState {
  /** Those that are open; none when everybody is in the main room. */
  readonly rooms: readonly Breakout[];
  readonly assignment: BreakoutAssignment;
  /** When they are over, by this machine's clock (Unix time in milliseconds); null if that is not said. */
  readonly endsAt: number | null;
  /** Who belongs to which. Who does not stand here is in the main room. */
  readonly places: ReadonlyMap<ParticipantId, BreakoutPlace>;
  /** The latest that was said to all, until it is dismissed. */
  readonly broadcast: Broadcast | null;
}

const NONE: BreakoutsState = {
  rooms: [],
  assignment: "automatic",
  endsAt: null,
  places: new Map(),
  broadcast: null,
};

export interface BreakoutHandlers extends DeedHandlers {
  you(): ParticipantId | null;
  /** Says a line to everybody, wherever they are. */
  announce(text: string): void;
}

/** The breakout room in which somebody is now; null for the main room. */
export function breakoutOf({ places }: BreakoutsState, participant: ParticipantId | null): BreakoutId | null {
  const place = participant === null ? undefined : places.get(participant);
  return place === undefined || place.away ? null : place.breakout;
}

export class Breakouts implements Subject {
  readonly #state = new Store<BreakoutsState>(NONE);
  readonly #deeds: Deeds;
  readonly #handlers: BreakoutHandlers;
  /** By how much the room's clock is ahead of this machine's, in milliseconds. */
  #ahead = 0;

  constructor(handlers: BreakoutHandlers) {
    this.#deeds = new Deeds(handlers);
    this.#handlers = handlers;
  }

  get state(): Readable<BreakoutsState> {
    return this.#state;
  }

  /** As one who keeps order: opens them. */
  open(draft: BreakoutDraft): void {
    const isDone = () => this.#state.get().rooms.length > 0;
    this.#deeds.do({ message: { type: "openBreakouts", draft }, about: "breakouts", isDone });
  }

  /** As one who keeps order: brings everybody back to the main room. */
  close(): void {
    const isDone = () => this.#state.get().rooms.length === 0;
    this.#deeds.do({ message: { type: "closeBreakouts" }, about: "breakouts", isDone });
  }

  /** As one who keeps order: they are over so many seconds from now, or with null never by themselves. */
  limit(seconds: number | null): void {
    const { endsAt: before } = this.#state.get();
    const isDone = () => {
      const { rooms, endsAt } = this.#state.get();
      return rooms.length === 0 || (seconds === null ? endsAt === null : endsAt !== before);
    };
    this.#deeds.do({ message: { type: "limitBreakouts", seconds }, about: "breakouts' time", isDone });
  }

  /** Goes to one, or to the main room; as one who keeps order, has anybody go. */
  move(breakout: BreakoutId | null, participant = this.#handlers.you()): void {
    if (participant === null) return;
    const isDone = () => breakoutOf(this.#state.get(), participant) === breakout;
    const message = { type: "moveToBreakout", participant, breakout } as const;
    this.#deeds.do({ message, about: `move ${participant}`, isDone });
  }

  /** As one who keeps order: says a line to all. It stands in the chat, too. */
  announce(text: string): void {
    this.#handlers.announce(text);
  }

  /** The broadcast is read. */
  dismiss(): void {
    this.#state.patch({ broadcast: null });
  }

  welcome(snapshot: Snapshot | null): void {
    if (snapshot !== null) {
      // A room of the release before says nothing of them, nor of its time.
      this.#ahead = snapshot.now ? snapshot.now - Date.now() : 0;
      this.#are(snapshot.breakouts ?? null);
    }
    this.#deeds.look();
    this.#deeds.again();
  }

  happen(event: RoomEvent): void {
    const { places } = this.#state.get();
    if (event.type === "breakouts") this.#are(event.breakouts);
    if (event.type === "breakoutPlace") {
      this.#state.patch({ places: new Map(places).set(event.place.participant, event.place) });
    }
    if (event.type === "left" && places.has(event.participant)) {
      this.#state.patch({ places: new Map([...places].filter(([id]) => id !== event.participant)) });
    }
    if (
      event.type === "chat" &&
      event.message.broadcast &&
      event.message.participant !== this.#handlers.you()
    ) {
      const { name, text } = event.message;
      this.#state.patch({ broadcast: { name, text } });
    }
    this.#deeds.look();
  }

  refused(refusal: Refusal): void {
    this.#deeds.refused(refusal);
  }

  end(): void {
    this.#deeds.clear();
    this.#state.set(NONE);
  }

  #are(breakouts: OpenBreakouts | null): void {
    const { broadcast } = this.#state.get();
    if (breakouts === null) return this.#state.set({ ...NONE, broadcast });
    const { rooms, assignment, endsAt, places } = breakouts;
    this.#state.set({
      rooms,
      assignment,
      endsAt: endsAt === null ? null : endsAt - this.#ahead,
      places: new Map(places.map((place) => [place.participant, place])),
      broadcast,
    });
  }
}
