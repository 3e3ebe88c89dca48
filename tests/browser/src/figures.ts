// Figures for people: percentiles of samples.

/** The value that a share `p` (0 to 1) of the samples does not exceed (nearest rank). */
export function percentile(samples: readonly number[], p: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)] ?? Number.NaN;
}

/** `p50 120 ms, p95 180 ms (20 samples)`. */
export function summary(samples: readonly number[], digits = 0): string {
  const figure = (p: number) => `${percentile(samples, p).toFixed(digits)} ms`;
  return `p50 ${figure(0.5)}, p95 ${figure(0.95)} (${samples.length} samples)`;
}

/** Prints a line among the results. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
