// How what is received was played: the share of the time in which a picture stood still, for the node.
import type { CallStatistics, TrackStatistics } from "./statistics.ts";

/** How often the node is told, in milliseconds. */
const EVERY_MS = 5_000;

/** Adds up, look by look, for how long the pictures that are shown stood still. */
export class Playback {
  #before: readonly TrackStatistics[] = [];
  #lookedAt: number | null = null;
  #toldAt = 0;
  /** Seconds in which a picture was shown, all pictures together, and in which it stood still. */
  #shown = 0;
  #frozen = 0;

  /**
   * Takes a look at `now` milliseconds; returns what to tell the node, from 0 to 1, or null while it is not yet time.
   * A slot whose track has changed between two looks counts from the second: how it waited before says nothing of the
   * picture that it shows. The browser counts a freeze when it is over; one longer than a report fills that report.
   */
  look({ incoming }: CallStatistics, now: number): number | null {
    const before = this.#before;
    const seconds = (now - (this.#lookedAt ?? now)) / 1_000;
    if (this.#lookedAt === null) this.#toldAt = now;
    this.#before = incoming.filter(isVideo);
    this.#lookedAt = now;
    for (const video of this.#before) {
      const same = before.find((one) => isSame(one, video));
      if (same === undefined) continue;
      this.#shown += seconds;
      // A new session counts from zero again.
      this.#frozen += Math.max(0, video.frozenSeconds - same.frozenSeconds);
    }
    if (now - this.#toldAt < EVERY_MS) return null;
    const share = this.#shown > 0 ? Math.min(1, this.#frozen / this.#shown) : 0;
    this.#toldAt = now;
    this.#shown = 0;
    this.#frozen = 0;
    return share;
  }
}

function isVideo({ track }: TrackStatistics): boolean {
  return track.source === "camera" || track.source === "screen";
}

function isSame(a: TrackStatistics, b: TrackStatistics): boolean {
  return a.mid === b.mid && a.track.participant === b.track.participant && a.track.source === b.track.source;
}
