// The looks at a call, once a second: what the browser measures goes to the node, and to whoever judges the connection.
import type { MediaSession } from "./media-session.ts";
import { Playback } from "./playback.ts";
import type { CallStatistics } from "./statistics.ts";

const EVERY_MS = 1_000;

/** What is measured, and by which the node is told for which share of the time pictures stood still. */
export type Measured = Pick<MediaSession, "statistics" | "reportPlayback">;

/** Measures from its start to its stop. */
export class Measuring {
  readonly #media: Measured;
  readonly #onMeasured: (now: CallStatistics) => void;
  #playback = new Playback();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(media: Measured, onMeasured: (now: CallStatistics) => void) {
    this.#media = media;
    this.#onMeasured = onMeasured;
  }

  start(): void {
    this.#timer ??= setInterval(() => void this.#look(), EVERY_MS);
  }

  /** What was seen until now does not count for what follows. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#playback = new Playback();
  }

  async #look(): Promise<void> {
    const now = await this.#media.statistics();
    const frozen = this.#playback.look(now, performance.now());
    if (frozen !== null) this.#media.reportPlayback(frozen);
    this.#onMeasured(now);
  }
}
