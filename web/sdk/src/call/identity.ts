// Whom a call is for: somebody with an account, or a guest, who may take an account without leaving.
import type { Entrance } from "../entrance.ts";
import type { JoinReport, Participant, RoomId } from "../generated/protocol.ts";
import { Guest } from "../guest.ts";
import type { Ask } from "./asks.ts";

export class Identity {
  #entrance: Entrance;

  constructor(entrance: Entrance) {
    this.#entrance = entrance;
  }

  /** By which the room is entered, and entered again. */
  get entrance(): Entrance {
    return this.#entrance;
  }

  /** What a guest has to ask of the room, to be who is signed in; null for who is that already. */
  async claim(): Promise<Ask | null> {
    if (!(this.#entrance instanceof Guest)) return null;
    return { type: "takeAccount", token: await this.#entrance.account.token() };
  }

  /** Tells what a join has come to; without an answer, nobody misses it. */
  async tell(room: RoomId, report: JoinReport): Promise<void> {
    await this.#entrance.joined(room, report).catch(() => {});
  }

  /** What the room says that one is. */
  look(own: Participant | undefined): void {
    if (own?.guest === false && this.#entrance instanceof Guest) this.#entrance = this.#entrance.account;
  }
}
