// The same user on another page or device: who that is, and a microphone that stays off beside it.
import type { Participant, ParticipantId } from "../generated/protocol.ts";
import type { LocalMedia } from "./local-media.ts";

/** Of these people, those who are the same user as `you`. */
export function elsewhereOf(
  people: readonly Participant[],
  you: ParticipantId | null,
): readonly Participant[] {
  const user = people.find(({ id }) => id === you)?.user;
  return people.filter((person) => person.user === user && person.id !== you);
}

/** Two open microphones of one person, often in one room, would howl. */
export class QuietBesideOneself {
  readonly #local: Pick<LocalMedia, "state" | "turn">;
  /** It was turned off here, though its user wanted it on. */
  #isOff = false;
  #moves = false;

  constructor(local: Pick<LocalMedia, "state" | "turn">) {
    this.#local = local;
  }

  /** One has entered the room. A microphone that is still opening counts. */
  enter(people: readonly Participant[], you: ParticipantId | null): void {
    this.#moves = false;
    this.#isOff = this.#local.state.get().microphone.wanted && elsewhereOf(people, you).length > 0;
    if (this.#isOff) void this.#local.turn("microphone", false);
  }

  /** One wants the call to be here alone. */
  moveHere(): void {
    this.#moves = true;
  }

  /** Somebody has left: once the call was moved here, the microphone is as it was meant to be. */
  left(people: readonly Participant[], you: ParticipantId | null): void {
    if (!this.#moves || !this.#isOff || elsewhereOf(people, you).length > 0) return;
    this.#isOff = false;
    void this.#local.turn("microphone", true);
  }
}
