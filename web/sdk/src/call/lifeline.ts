// Notices that nothing comes back from the node any more: in about a second, long before ICE does (RFC 7675 takes 30 s).

/** What a connection has sent and received so far, in bytes. */
export interface Traffic {
  readonly sent: number;
  readonly received: number;
}

/** What has become of the connection. */
export type Change = "silent" | "back";

/** Silence after which the path is taken for lost. After each, the next has to last twice as long: it may have been hasty. */
const SILENT_AFTER_MS = 1_000;
const SILENT_AFTER_LONGEST_MS = 8_000;
/** A connection that has lasted so long clears the record. */
const STEADY_MS = 60_000;
/** Who sends less in the time of a silence has nothing to be answered. */
const WORTH_AN_ANSWER_BYTES = 1_000;

/** Watches one connection. The node reports several times a second on what it receives, so silence means loss. */
export class Lifeline {
  /** When something came last, and the reading of that time or the first after it. */
  #heard: { at: number; traffic: Traffic | null } | null = null;
  #silent = false;
  #silentAfterMs = SILENT_AFTER_MS;
  #backAt = Number.NEGATIVE_INFINITY;

  /** Takes a reading at `now` (milliseconds). */
  read(now: number, traffic: Traffic): Change | null {
    // Nothing has come yet: that is for ICE to judge.
    if (traffic.received === 0) return null;
    const { at, traffic: then } = this.#heard ?? { at: now, traffic: null };
    if (then !== null && traffic.received > then.received) return this.#hear(now, traffic);
    if (then === null || traffic.received < then.received) {
      // The first reading, or one that counts less because the browser has dropped an old path.
      this.#heard = { at, traffic };
      return null;
    }
    const unanswered = traffic.sent - then.sent;
    if (this.#silent || now - at < this.#silentAfterMs || unanswered < WORTH_AN_ANSWER_BYTES) return null;
    this.#silent = true;
    this.#silentAfterMs = Math.min(
      2 * (now - this.#backAt > STEADY_MS ? SILENT_AFTER_MS : this.#silentAfterMs),
      SILENT_AFTER_LONGEST_MS,
    );
    return "silent";
  }

  /** Something has come at `now`: media, say, which is seen without a reading. */
  heard(now: number): Change | null {
    return this.#hear(now, null);
  }

  /** Whether something came within this time. */
  hasHeardWithin(ms: number, now: number): boolean {
    return this.#heard !== null && now - this.#heard.at <= ms;
  }

  #hear(now: number, traffic: Traffic | null): Change | null {
    this.#heard = { at: now, traffic };
    if (!this.#silent) return null;
    this.#silent = false;
    this.#backAt = now;
    return "back";
  }
}
