// A time-out and a caller's wish to cancel, as one signal.
import { TimeoutError } from "./problem.ts";

/**
 * Runs a task that has so many milliseconds, and may be canceled. It is given up when its signal is aborted, whether it
 * heeds the signal or not; what it then rejects with is the reason: a {@link TimeoutError}, or what `canceled` says.
 */
export async function withDeadline<T>(
  milliseconds: number,
  canceled: AbortSignal | undefined,
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  canceled?.throwIfAborted();
  const controller = new AbortController();
  const { signal } = controller;
  const cancel = () => controller.abort(canceled?.reason);
  const timer = setTimeout(() => controller.abort(new TimeoutError(milliseconds)), milliseconds);
  canceled?.addEventListener("abort", cancel);
  const givenUp = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
  });
  try {
    return await Promise.race([task(signal), givenUp]);
  } finally {
    clearTimeout(timer);
    canceled?.removeEventListener("abort", cancel);
  }
}
