// The looks at a call, once a second: what the browser measures goes to the node, and to whoever judges the connection.
import { Playback } from "./playback.ts";
import type { CallStatistics } from "./statistics.ts";

const EVERY_MS = 1_000;

export interface MeasuringHandlers {
  statistics(): Promise<CallStatistics>;
  /** For which share of the time pictures stood still, for the node. */
  onPlayback(frozen: number): void;
  onMeasured(now: CallStatistics): void;
}

/** Measures from its start to its stop. */
export class Measuring {
  readonly #handlers: MeasuringHandlers;
  #playback = new Playback();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(handlers: MeasuringHandlers) {
    this.#handlers = handlers;
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
    const now = await this.#handlers.statistics();
    const frozen = this.#playback.look(now, performance.now());
    if (frozen !== null) this.#handlers.onPlayback(frozen);
    this.#handlers.onMeasured(now);
  }
}
