// Moderation: what one who keeps order has done to others, and what others have done to or asked of oneself.
import type {
  CapsChange,
  MuteAll,
  ParticipantId,
  Role,
  RoomEvent,
  ServerMessage,
  Source,
} from "../generated/protocol.ts";
import { type Readable, Store } from "../store.ts";
import type { Ask } from "./asks.ts";
import type { LocalMedia } from "./local-media.ts";
import type { LocalScreen } from "./local-screen.ts";

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
export class Moderation {
  readonly #state = new Store<ModerationState>(NOTHING);
  readonly #ask: (ask: Ask) => void;
  readonly #local: Local;
  readonly #screen: Screen;

  constructor(ask: (ask: Ask) => void, local: Local, screen: Screen) {
    this.#ask = ask;
    this.#local = local;
    this.#screen = screen;
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

  /** Something was turned off; perhaps here. */
  turnedOff(
    { participants, source, by }: Extract<RoomEvent, { type: "turnedOff" }>,
    you: ParticipantId,
  ): void {
    if (!participants.includes(you)) return;
    if (source === "microphone" || source === "camera") void this.#local.turn(source, false);
    else this.#screen.stop();
    this.#state.patch({ turnedOff: { source, by } });
  }

  /** Somebody is asked for a microphone; perhaps for this one. */
  asked({ participant, by }: Extract<ServerMessage, { type: "askedToUnmute" }>, you: ParticipantId): void {
    if (participant === you && !this.#isHeard) this.#state.patch({ askedBy: by });
  }

  /** The call is over. */
  clear(): void {
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
