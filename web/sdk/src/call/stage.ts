// The stage of a webinar: viewers ask for it, who keeps order brings them on it or refuses, and each is told what becomes of them.
import type { ParticipantId, Role, RoomEvent, Snapshot } from "../generated/protocol.ts";
import { type Readable, Store } from "../store.ts";
import { type DeedHandlers, Deeds } from "./deeds.ts";
import type { Refusal } from "./signaling.ts";
import type { Subject } from "./subject.ts";

export interface StageState {
  /** Which viewers ask to be brought on stage, the first first. */
  readonly asking: readonly ParticipantId[];
  /** What has become of oneself; until it is dismissed. */
  readonly news: "onStage" | "viewer" | "refused" | null;
}

const NOTHING: StageState = { asking: [], news: null };

export class Stage implements Subject {
  readonly #state = new Store<StageState>(NOTHING);
  readonly #deeds: Deeds;
  readonly #you: () => ParticipantId | null;
  /** What one is oneself; null while that is not known. */
  #role: Role | null = null;

  constructor(handlers: DeedHandlers, you: () => ParticipantId | null) {
    this.#deeds = new Deeds(handlers);
    this.#you = you;
  }

  get state(): Readable<StageState> {
    return this.#state;
  }

  /** As a viewer: asks to be brought on stage. */
  ask(): void {
    this.#wish(true);
  }

  /** Asks for it no more. */
  withdraw(): void {
    this.#wish(false);
  }

  /** As one who keeps order: brings somebody on stage. They need not join again. */
  bring(participant: ParticipantId): void {
    const isDone = () => !this.#state.get().asking.includes(participant);
    const message = { type: "setRole", participant, role: "speaker" } as const;
    this.#deeds.do({ message, about: participant, isDone });
  }

  /** As one who keeps order: refuses somebody, or everybody who asks. They may ask again. */
  refuse(participant: ParticipantId | null = null): void {
    const { asking } = this.#state.get();
    const refused = participant === null ? asking : [participant];
    const isDone = () => !refused.some((id) => this.#state.get().asking.includes(id));
    const about = participant ?? "everybody";
    this.#deeds.do({ message: { type: "refuseToSpeak", participant }, about, isDone });
  }

  /** What has become of oneself is known. */
  dismiss(): void {
    this.#state.patch({ news: null });
  }

  welcome(snapshot: Snapshot | null): void {
    if (snapshot !== null) {
      // A room of the release before says nothing of a stage.
      this.#state.patch({ asking: snapshot.wishes ?? [] });
      this.#is(snapshot.participants.find(({ id }) => id === this.#you())?.role ?? null);
    }
    this.#deeds.look();
    this.#deeds.again();
  }

  happen(event: RoomEvent): void {
    const asking = after(this.#state.get().asking, event);
    if (asking !== this.#state.get().asking) this.#state.patch({ asking });
    if (event.type === "role" && event.participant === this.#you()) this.#is(event.role);
    if (event.type === "stage" && event.participants.includes(this.#you() ?? "")) {
      this.#state.patch({ news: event.wish === "refused" ? "refused" : null });
    }
    this.#deeds.look();
  }

  refused(refusal: Refusal): void {
    this.#deeds.refused(refusal);
  }

  end(): void {
    this.#deeds.clear();
    this.#role = null;
    this.#state.set(NOTHING);
  }

  #wish(on: boolean): void {
    const isAsking = () => this.#state.get().asking.includes(this.#you() ?? "");
    // Who is on stage has what they asked for.
    const isDone = () => isAsking() === on || this.#role !== "viewer";
    this.#deeds.do({ message: { type: "askToSpeak", on }, about: "own", isDone });
  }

  /** That one comes as a viewer or a speaker is no news. */
  #is(role: Role | null): void {
    const before = this.#role;
    this.#role = role;
    if (before === null || role === null || (before === "viewer") === (role === "viewer")) return;
    this.#state.patch({ news: role === "viewer" ? "viewer" : "onStage" });
  }
}

function after(asking: readonly ParticipantId[], event: RoomEvent): readonly ParticipantId[] {
  if (event.type === "stage") {
    const rest = without(asking, event.participants);
    return event.wish === "asked" ? [...rest, ...event.participants] : rest;
  }
  const isOver = event.type === "left" || event.type === "role";
  return isOver ? without(asking, [event.participant]) : asking;
}

function without(asking: readonly ParticipantId[], ids: readonly ParticipantId[]): readonly ParticipantId[] {
  return asking.some((id) => ids.includes(id)) ? asking.filter((id) => !ids.includes(id)) : asking;
}
