// One device, microphone or camera: what the person wishes, whether that may be, and the track that comes of it.
import {
  type Capture,
  type Choice,
  type DeviceName,
  type DeviceProblem,
  type Facing,
  problemOf,
} from "./capture.ts";

/** A device that was lost so often in a row is not opened again before the list of devices changes. */
const MOST_LOSSES = 3;
/** What was open for so long works: when it is lost after all, that is no part of a row. */
const WORKS_AFTER_MS = 60_000;

/**
 * Where a device stands between the wish and its track. `interrupted`: it is open, but the system lets nothing
 * through, as during a phone call. `lost`: it was on and is gone, with nothing to stand in for it.
 */
export type DeviceStatus = "off" | "opening" | "on" | "interrupted" | "lost";

export interface LocalDevice {
  readonly status: DeviceStatus;
  /** It is captured and sent, and others are told so. */
  readonly on: boolean;
  /** The person wants it on, and it may be: it is on or will be by itself. Its button turns it the other way. */
  readonly wanted: boolean;
  /** Open while the device is; a muted microphone keeps it, so that it is back at once. */
  readonly track: MediaStreamTrack | null;
  /** Why it is not on; or, while it is, why it is not the chosen one that is. */
  readonly problem: DeviceProblem | null;
  /** The chosen device's id; null for the browser's choice. */
  readonly chosen: string | null;
  /** The id of the device that is open: the chosen one, or the one that stands in for it. */
  readonly used: string | null;
  /** Where the open camera looks, if it says so: those of phones do. */
  readonly facing: Facing | null;
}

export class Device {
  readonly #name: DeviceName;
  readonly #capture: Capture;
  readonly #changed: () => void;
  #wanted = false;
  #allowed = true;
  /** Nobody needs it now, whatever is wished for later. */
  #released = false;
  #ended = false;
  #choice: Choice;
  /** What the track was opened as, or the one before it. */
  #used: Choice = null;
  #track: MediaStreamTrack | null = null;
  #openedAt = 0;
  /** It was captured since it was turned on. */
  #had = false;
  /** Nothing opens: until others are plugged in (`lost`), or until a new wish. */
  #stuck: "lost" | "refused" | null = null;
  #losses = 0;
  #problem: DeviceProblem | null = null;
  /** What could not be opened since the last wish. */
  readonly #failed = new Map<string, DeviceProblem>();
  /** The only request under way. What comes of it is taken if it is still wanted then, and stopped at once if not. */
  #running: Promise<void> | null = null;

  constructor(name: DeviceName, chosen: string | null, capture: Capture, changed: () => void) {
    this.#name = name;
    this.#choice = chosen === null ? null : { deviceId: chosen };
    this.#capture = capture;
    this.#changed = changed;
  }

  get state(): LocalDevice {
    const settings = this.#track?.getSettings();
    const facing = settings?.facingMode;
    const status = this.#status;
    return {
      status,
      on: status === "on",
      wanted: this.#isDue,
      track: this.#track,
      problem: this.#problem,
      chosen: this.#choice !== null && "deviceId" in this.#choice ? this.#choice.deviceId : null,
      used: settings?.deviceId ?? null,
      facing: facing === "user" || facing === "environment" ? facing : null,
    };
  }

  /** Turns it on or off; resolves when it is on, or cannot be. A camera that is off is released, and its light goes out. */
  async turn(on: boolean): Promise<void> {
    if (on && !this.#allowed) return;
    this.#wanted = on;
    if (on) this.#released = false;
    else this.#had = false;
    await this.#startOver();
  }

  /** Uses another one from now on. What was turned off stays off; one that does not open leaves the former running. */
  async choose(choice: Choice): Promise<void> {
    this.#choice = choice;
    if (!this.#isDue) this.#stop();
    await this.#startOver();
  }

  /** What a moderator forbids is off, and stays so until it is allowed and wished for again. */
  allow(allowed: boolean): void {
    if (allowed === this.#allowed) return;
    this.#allowed = allowed;
    if (!allowed) void this.turn(false);
  }

  /** Releases it; the wish holds until `resume`. False when it was released before. */
  release(): boolean {
    const isNew = !this.#released;
    this.#released = true;
    void this.#startOver();
    return isNew;
  }

  /** Has it again as it was before it was released. */
  async resume(): Promise<void> {
    if (!this.#released) return;
    this.#released = false;
    await this.#startOver();
  }

  /** Releases it for good. */
  end(): void {
    this.#ended = true;
    void this.#settle();
  }

  /** The devices of its kind are others than before: perhaps the chosen one is among them again. */
  listed(ids: readonly string[]): void {
    if (ids.length === 0) return;
    this.#losses = 0;
    if (this.#stuck === "lost") {
      this.#stuck = null;
      this.#failed.clear();
    }
    const key = keyOf(this.#choice);
    if (this.#failed.get(key) === "missing" && ids.includes(key)) this.#failed.delete(key);
    void this.#settle();
  }

  get #isDue(): boolean {
    const may = this.#allowed && !this.#released && !this.#ended;
    return this.#wanted && may && this.#stuck !== "refused";
  }

  get #status(): DeviceStatus {
    if (!this.#isDue) return "off";
    if (this.#track !== null) return this.#track.muted ? "interrupted" : "on";
    return this.#stuck === "lost" ? "lost" : "opening";
  }

  /** A new wish: what has failed before may work now. */
  async #startOver(): Promise<void> {
    this.#failed.clear();
    this.#problem = null;
    this.#stuck = null;
    this.#losses = 0;
    const opened = this.#settle();
    // Who turns it off need not wait for a question that the browser still asks.
    if (this.#isDue) await opened;
  }

  /** Brings the track in line with the wish: at once where it is off, as soon as it opens where it is on. */
  async #settle(): Promise<void> {
    const keeps = this.#name === "microphone" && this.#allowed && !this.#released && !this.#ended;
    if (!this.#isDue && !keeps) this.#stop();
    // Silent at once, whatever still waits to be done with the track.
    if (this.#track !== null) this.#track.enabled = this.#isDue;
    if (this.#running === null && this.#next() !== undefined) this.#running = this.#run();
    this.#changed();
    await this.#running;
  }

  /** What is to be opened now; undefined when all is as wished, or as near to it as can be. */
  #next(): Choice | undefined {
    if (!this.#isDue || this.#stuck !== null) return undefined;
    const best = [this.#choice, this.#used, null].find((choice) => !this.#failed.has(keyOf(choice)));
    const isOpen = this.#track !== null && best !== undefined && keyOf(best) === keyOf(this.#used);
    return isOpen ? undefined : best;
  }

  async #run(): Promise<void> {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const choice: Choice = next;
      await this.#capture.open(this.#name, choice).then(
        (track) => this.#arrive(track, choice),
        (error) => this.#fail(choice, problemOf(error)),
      );
    }
    this.#running = null;
    this.#changed();
  }

  #arrive(track: MediaStreamTrack, choice: Choice): void {
    const next = this.#next();
    // Meanwhile it was turned off, or another one was chosen.
    if (next === undefined || keyOf(next) !== keyOf(choice)) return track.stop();
    this.#stop();
    this.#track = track;
    this.#openedAt = performance.now();
    this.#used = choice;
    this.#had = true;
    const { deviceId } = track.getSettings();
    // The one that looks this way: from now on by its name.
    if (choice !== null && "facing" in choice && deviceId !== undefined) {
      this.#used = { deviceId };
      this.#choice = this.#used;
    }
    this.#problem = this.#failed.get(keyOf(this.#choice)) ?? null;
    if (this.#name === "camera") track.contentHint = "motion";
    track.onended = () => this.#lose(track);
    track.onmute = track.onunmute = () => this.#changed();
    this.#changed();
  }

  #fail(choice: Choice, problem: DeviceProblem): void {
    if (!this.#isDue) return;
    // A phone has one camera open at a time: once more, without the other.
    if (problem === "busy" && this.state.facing !== null) return this.#stop();
    this.#failed.set(keyOf(choice), problem);
    this.#problem = problem;
    if (this.#track !== null) return;
    // Who was told no is not asked again.
    if (problem === "denied" || problem === "unsupported" || this.#next() === undefined)
      this.#giveUp(problem);
  }

  /** What was there and is gone may come back by itself; what was refused does not. */
  #giveUp(problem: DeviceProblem): void {
    this.#stuck = problem === "missing" && this.#had ? "lost" : "refused";
  }

  /** Unplugged, or taken away by the system. */
  #lose(track: MediaStreamTrack): void {
    if (this.#track !== track) return;
    this.#track = null;
    if (performance.now() - this.#openedAt >= WORKS_AFTER_MS) this.#losses = 0;
    if (this.#isDue) this.#losses += 1;
    if (this.#losses >= MOST_LOSSES) {
      this.#problem = "missing";
      this.#giveUp("missing");
    }
    void this.#settle();
  }

  #stop(): void {
    this.#track?.stop();
    this.#track = null;
  }
}

/** A name for each choice, to tell them apart; a device's is its id. */
function keyOf(choice: Choice): string {
  if (choice === null) return "";
  return "facing" in choice ? `facing ${choice.facing}` : choice.deviceId;
}
