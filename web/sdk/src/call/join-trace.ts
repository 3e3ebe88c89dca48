// The trace of a join (W3C Trace Context): when each of its steps was done, told once, when it has come to something.
import type { JoinOutcome, JoinReport } from "../generated/protocol.ts";

/** Without a picture by then nobody sends one, and the join is done as it is. */
const PICTURE_WITHIN_MS = 3_000;
/** Media that does not flow by then after the welcome finds no way. */
const MEDIA_WITHIN_MS = 30_000;

export class JoinTrace {
  /** Names the trace, and the join as its first span. */
  readonly traceparent = `00-${hex(16)}-${hex(8)}-01`;
  readonly #click = performance.now();
  readonly #steps: Record<string, number> = {};
  #report: ((report: JoinReport) => void) | null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(report: (report: JoinReport) => void) {
    this.#report = report;
  }

  /** A step is done; what is done again later is no part of the join. */
  step(step: string): void {
    if (this.#report === null) return;
    this.#steps[step] ??= performance.now() - this.#click;
    if (step === "first-frame") this.end("joined");
    if (step === "welcome") this.#endIn(MEDIA_WITHIN_MS, "failed");
    if (step === "connected") this.#endIn(PICTURE_WITHIN_MS, "joined");
  }

  /** The join has come to this, unless it has come to something before. */
  end(outcome: JoinOutcome): void {
    clearTimeout(this.#timer);
    const { "first-frame": frame, connected } = this.#steps;
    const age = performance.now() - this.#click;
    this.#report?.({
      traceparent: this.traceparent,
      outcome: connected === undefined ? outcome : "joined",
      age,
      took: frame ?? connected ?? age,
      steps: this.#steps,
    });
    this.#report = null;
  }

  #endIn(ms: number, outcome: JoinOutcome): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.end(outcome), ms);
  }
}

function hex(bytes: number): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}
