// Keeps the screen awake during a call: nobody touches it for long, and a phone that falls asleep drops out.

/** The screen stays on while it is held. Where the browser cannot, or the battery is low, it does not. */
export class ScreenAwake {
  #held = false;
  /** One request at a time: of two locks, one would never be given back. */
  #asking = false;
  #lock: WakeLockSentinel | null = null;

  hold(): void {
    if (this.#held) return;
    this.#held = true;
    // The browser takes it back whenever the page is hidden.
    document.addEventListener("visibilitychange", this.#ask);
    void this.#ask();
  }

  release(): void {
    if (!this.#held) return;
    this.#held = false;
    document.removeEventListener("visibilitychange", this.#ask);
    void this.#lock?.release();
    this.#lock = null;
  }

  readonly #ask = async (): Promise<void> => {
    if (this.#asking || document.visibilityState !== "visible") return;
    this.#asking = true;
    const lock = await navigator.wakeLock?.request("screen").catch(() => null);
    this.#asking = false;
    if (lock == null) return;
    if (!this.#held) return void lock.release();
    this.#lock = lock;
  };
}
