// How long to wait before trying again.

const FIRST_MS = 250;
const LONGEST_MS = 4_000;

/**
 * Milliseconds to wait before try number `attempt` (0 the first), with full jitter: after an outage, everybody comes
 * back at a different time, and never all within less than `spreadMs`. `random` is in [0, 1).
 */
export function backoff(attempt: number, random: number, spreadMs = FIRST_MS): number {
  const ceiling = Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt);
  return Math.max(ceiling, spreadMs) * random;
}
