// Notices that nothing comes back from the node any more: in about a second, long before ICE does (RFC 7675 takes 30 s).

/** What a connection has sent and received so far, in bytes. */
export interface Traffic {
  readonly sent: number;
  readonly received: number;
}

/** Who sends less in the time of a silence has nothing to be answered. */
const WORTH_AN_ANSWER_BYTES = 1_000;

/** Watches one connection. The node reports several times a second on what it receives, so silence means loss. */
export class Lifeline {
  readonly #silentAfterMs: number;
  /** When something came last, and the reading of that time or the first after it. */
  #heard: { at: number; traffic: Traffic | null } | null = null;

  constructor(silentAfterMs: number) {
    this.#silentAfterMs = silentAfterMs;
  }

  /** Takes a reading at `now` (milliseconds); says whether the connection has fallen silent. */
  isSilent(now: number, traffic: Traffic): boolean {
    // Nothing has come yet: that is for ICE to judge.
    if (traffic.received === 0) return false;
    const { at, traffic: then } = this.#heard ?? { at: now, traffic: null };
    if (then === null || traffic.received > then.received) {
      this.#heard = { at: then === null ? at : now, traffic };
      return false;
    }
    const unanswered = traffic.sent - then.sent;
    return now - at >= this.#silentAfterMs && unanswered >= WORTH_AN_ANSWER_BYTES;
  }

  /** Something has come: media, say, which is seen without a reading. */
  heard(now: number): void {
    this.#heard = { at: now, traffic: null };
  }
}
