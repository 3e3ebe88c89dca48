// The door of the room: for who keeps order, who waits outside and who stays out; for the host, the password.
import type { Banned, ClientMessage, Knock, ParticipantId, UserId } from "../generated/protocol.ts";
import { type Readable, Store } from "../store.ts";
import type { Ask } from "./asks.ts";
import type { OtherMessage, Refusal } from "./signaling.ts";
import type { Subject } from "./subject.ts";

/** What is told to who keeps order; empty for everybody else. */
export interface DoorState {
  /** Who waits to be let in, who came first first. */
  readonly knocking: readonly Knock[];
  /** Who is banned, the latest first. */
  readonly banned: readonly Banned[];
}

export interface DoorHandlers {
  /** Tells the room, and says whether it could be told. */
  send(message: ClientMessage): boolean;
  ask(ask: Ask): void;
  /** Why something is not done, in words; null when something else is asked for. */
  onRefused(why: string | null): void;
}

const OWN = ["admit", "refuse", "unban", "setPassword"];
const NOBODY: DoorState = { knocking: [], banned: [] };

export class Door implements Subject {
  readonly #state = new Store<DoorState>(NOBODY);
  readonly #handlers: DoorHandlers;

  constructor(handlers: DoorHandlers) {
    this.#handlers = handlers;
  }

  get state(): Readable<DoorState> {
    return this.#state;
  }

  /** Lets somebody in who waits, or everybody. */
  admit(participant: ParticipantId | null = null): void {
    this.#tell({ type: "admit", participant });
  }

  /** Sends somebody away who waits, or everybody. They may knock again. */
  refuse(participant: ParticipantId | null = null): void {
    this.#tell({ type: "refuse", participant });
  }

  /** Sends somebody out of the room for good. */
  ban(participant: ParticipantId): void {
    this.#handlers.ask({ type: "ban", participant });
  }

  /** Lets somebody come again who was banned. */
  unban(user: UserId): void {
    this.#tell({ type: "unban", user });
  }

  /** As the host: asks for this password at the door, or for none any more. */
  setPassword(password: string | null): void {
    this.#tell({ type: "setPassword", password });
  }

  welcome(): void {
    // What is at the door is told anew.
    this.end();
  }

  receive(message: OtherMessage): void {
    if (message.type === "knocking") this.#state.patch({ knocking: message.people });
    if (message.type === "banned") this.#state.patch({ banned: message.people });
  }

  refused({ of, message }: Refusal): void {
    if (of !== null && OWN.includes(of)) this.#handlers.onRefused(message);
  }

  end(): void {
    this.#state.set(NOBODY);
  }

  #tell(message: ClientMessage): void {
    const told = this.#handlers.send(message);
    this.#handlers.onRefused(told ? null : "you are not connected right now");
  }
}
