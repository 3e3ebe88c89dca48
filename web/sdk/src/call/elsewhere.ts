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
  readonly #onChange: (quiet: boolean) => void;
  /** It was turned off here, and its user has wished for nothing else since. */
  #isQuiet = false;

  constructor(local: Pick<LocalMedia, "state" | "turn">, onChange: (quiet: boolean) => void) {
    this.#local = local;
    this.#onChange = onChange;
    local.state.subscribe(() => this.#isWanted && this.#set(false));
  }

  /** One has entered the room, as somebody whom it has not seen before. */
  enter(people: readonly Participant[], you: ParticipantId | null): void {
    // One of whom nothing is heard does not howl: it may be what a crash of this very page has left.
    const isBeside = elsewhereOf(people, you).some(({ connection }) => connection !== "reconnecting");
    if (!this.#isWanted || !isBeside) return;
    void this.#local.turn("microphone", false);
    this.#set(true);
  }

  /** The call is here alone, as one has asked for: the microphone is as it was meant to be. */
  moved(): void {
    if (this.#isQuiet) void this.#local.turn("microphone", true);
  }

  /** One may send no sound: what was wished for before that does not count any more. */
  forbidden(): void {
    this.#set(false);
  }

  /** Also while it still opens. */
  get #isWanted(): boolean {
    return this.#local.state.get().microphone.wanted;
  }

  #set(quiet: boolean): void {
    if (quiet === this.#isQuiet) return;
    this.#isQuiet = quiet;
    this.#onChange(quiet);
  }
}
