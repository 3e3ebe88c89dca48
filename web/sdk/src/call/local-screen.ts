// The screen that this participant shares: the browser's own dialog chooses it, and its sound.
import { type Readable, Store } from "../store.ts";

/** Why nothing is shared. A user who closes the dialog and a system that forbids it look alike to a page. */
export type ScreenProblem = "denied" | "unsupported" | "failed";

export interface ScreenState {
  readonly video: MediaStreamTrack | null;
  /** What the shared tab or system plays; null where it is not shared. */
  readonly audio: MediaStreamTrack | null;
  /** The dialog is open. */
  readonly asking: boolean;
  readonly problem: ScreenProblem | null;
}

const NOTHING: ScreenState = { video: null, audio: null, asking: false, problem: null };

/** Chromium's wishes beyond the standard's types: this page itself is not offered, a tab can be changed for another. */
const WISHES = { selfBrowserSurface: "exclude", surfaceSwitching: "include" };
const MAX_FRAME_RATE = 30;
/**
 * A shared sound is music or a film as often as speech: nothing is to be filtered out of it, but the call itself,
 * which would come back to everybody as an echo. The one who shares goes on hearing it.
 */
const AUDIO = {
  echoCancellation: false,
  noiseSuppression: false,
  autoGainControl: false,
  channelCount: 2,
  restrictOwnAudio: true,
  suppressLocalAudioPlayback: false,
};

/** The shared screen. */
export class LocalScreen {
  readonly #state = new Store<ScreenState>(NOTHING);
  readonly #media: MediaDevices | undefined;
  #wanted = false;
  #allowed = true;

  constructor(media: MediaDevices | undefined = globalThis.navigator?.mediaDevices) {
    this.#media = media;
  }

  get state(): Readable<ScreenState> {
    return this.#state;
  }

  /** Whether this browser can share a screen; those of phones cannot. */
  get isSupported(): boolean {
    return typeof this.#media?.getDisplayMedia === "function";
  }

  /** Asks what to share, and shares it. Never rejects: see `problem`. Call it from a click: browsers insist. */
  async share(): Promise<void> {
    if (!this.#allowed) return;
    if (!this.isSupported) return this.#state.patch({ problem: "unsupported" });
    this.#wanted = true;
    if (this.#state.get().asking || this.#state.get().video !== null) return;
    this.#state.patch({ asking: true, problem: null });
    try {
      const stream = await this.#media?.getDisplayMedia(this.#options());
      this.#adopt(stream?.getVideoTracks()[0] ?? null, stream?.getAudioTracks()[0] ?? null);
    } catch (error) {
      const denied = error instanceof DOMException && error.name === "NotAllowedError";
      this.#state.patch({ asking: false, problem: denied ? "denied" : "failed" });
    }
  }

  /** Stops sharing; what is chosen in a dialog that is still open is not shared. */
  stop(): void {
    this.#wanted = false;
    const { video, audio } = this.#state.get();
    if (video === null) return;
    for (const track of [video, audio]) track?.stop();
    this.#state.patch({ video: null, audio: null });
  }

  /** What a moderator forbids stops, and cannot be shared until it is allowed again. */
  allow(allowed: boolean): void {
    this.#allowed = allowed;
    if (!allowed) this.stop();
  }

  /** Forgets the problem: it was shown. */
  dismiss(): void {
    this.#state.patch({ problem: null });
  }

  /** Stops for good. */
  end(): void {
    this.allow(false);
  }

  #options(): DisplayMediaStreamOptions {
    // Where the call cannot be left out of the system's sound, that is not offered.
    const known = this.#media?.getSupportedConstraints() as { restrictOwnAudio?: boolean } | undefined;
    const systemAudio = known?.restrictOwnAudio === true ? "include" : "exclude";
    return { video: { frameRate: { max: MAX_FRAME_RATE } }, audio: AUDIO, ...WISHES, systemAudio } as object;
  }

  #adopt(video: MediaStreamTrack | null, audio: MediaStreamTrack | null): void {
    // Meanwhile the call has ended, or a moderator forbade it.
    if (!this.#wanted || video === null) {
      for (const track of [video, audio]) track?.stop();
      return this.#state.patch({ asking: false });
    }
    // Pixels before frames: what is shared is mostly text.
    video.contentHint = "detail";
    // The browser's own bar has a button that stops it.
    video.onended = () => this.stop();
    if (audio !== null) {
      audio.contentHint = "music";
      audio.onended = () => this.#state.patch({ audio: null });
    }
    this.#state.patch({ video, audio, asking: false });
  }
}
