// Moderation: what one who keeps order has done to others, and what others have done to or asked of oneself.
import type { CapsChange, MuteAll, ParticipantId, Role, RoomEvent, Source } from "../generated/protocol.ts";
import { type Readable, Store } from "../store.ts";
import type { Ask } from "./asks.ts";
import type { LocalMedia } from "./local-media.ts";
import type { LocalScreen } from "./local-screen.ts";
import type { OtherMessage } from "./signaling.ts";
import type { Subject } from "./subject.ts";

export interface ModerationState {
  /** Who asks for one's microphone; null when nobody does, or when it was answered. */
  readonly askedBy: ParticipantId | null;
  /** What was turned off here, and by whom; until it is dismissed or turned on again. */
  readonly turnedOff: { readonly source: Source; readonly by: ParticipantId } | null;
}

const NOTHING: ModerationState = { askedBy: null, turnedOff: null };

type Local = Pick<LocalMedia, "state" | "turn">;
type Screen = Pick<LocalScreen, "stop">;

/** What the room may refuse: `state.refusal` of the call says so. */
export class Moderation implements Subject {
  readonly #state = new Store<ModerationState>(NOTHING);
  readonly #ask: (ask: Ask) => void;
  readonly #local: Local;
  readonly #screen: Screen;
  readonly #you: () => ParticipantId | null;

  constructor(ask: (ask: Ask) => void, local: Local, screen: Screen, you: () => ParticipantId | null) {
    this.#ask = ask;
    this.#local = local;
    this.#screen = screen;
    this.#you = you;
    // Who turns the microphone on has answered, whichever way.
    local.state.subscribe(() => this.#isHeard && this.#forget("microphone"));
  }

  get state(): Readable<ModerationState> {
    return this.#state;
  }

  /** Has a client turn something off; its person may turn it on again. */
  turnOff(participant: ParticipantId, source: Source): void {
    this.#ask({ type: "turnOff", participant, source });
  }

  /** Asks somebody to turn the microphone on, and allows it if it was forbidden. */
  askToUnmute(participant: ParticipantId): void {
    this.#ask({ type: "askToUnmute", participant });
  }

  /** Mutes everybody who does not keep order: softly, so that each may undo it; or so that none may, until it is lifted. */
  muteAll(mute: MuteAll): void {
    this.#ask({ type: "muteAll", mute });
  }

  /** Decides what somebody may send, and how much; what is not named stays. */
  setCaps(participant: ParticipantId, caps: CapsChange): void {
    this.#ask({ type: "setCaps", participant, caps });
  }

  /** Has somebody be a viewer or a speaker; as the host, a moderator, too. */
  setRole(participant: ParticipantId, role: Role): void {
    this.#ask({ type: "setRole", participant, role });
  }

  /** Sends somebody out of the room. */
  remove(participant: ParticipantId): void {
    this.#ask({ type: "remove", participant });
  }

  /** Does what one was asked for. */
  async unmute(): Promise<void> {
    this.decline();
    await this.#local.turn("microphone", true);
  }

  /** Not now. */
  decline(): void {
    this.#state.patch({ askedBy: null });
  }

  /** It is known what was turned off. */
  dismiss(): void {
    this.#state.patch({ turnedOff: null });
  }

  happen(event: RoomEvent): void {
    if (event.type !== "turnedOff" || !event.participants.includes(this.#you() ?? "")) return;
    const { source, by } = event;
    if (source === "microphone" || source === "camera") void this.#local.turn(source, false);
    else this.#screen.stop();
    this.#state.patch({ turnedOff: { source, by } });
  }

  receive(message: OtherMessage): void {
    if (message.type !== "askedToUnmute" || message.participant !== this.#you()) return;
    if (!this.#isHeard) this.#state.patch({ askedBy: message.by });
  }

  end(): void {
    this.#state.set(NOTHING);
  }

  get #isHeard(): boolean {
    return this.#local.state.get().microphone.wanted;
  }

  #forget(source: Source): void {
    const { askedBy, turnedOff } = this.#state.get();
    if (askedBy !== null) this.#state.patch({ askedBy: null });
    if (turnedOff?.source === source) this.#state.patch({ turnedOff: null });
  }
}
