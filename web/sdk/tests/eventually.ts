// Waiting for what is about to be so. A machine may pause for seconds: only what never comes fails a test.
import { vi } from "vitest";

export function eventually<T>(look: () => T): Promise<T> {
  return vi.waitFor(look, { timeout: 10_000 });
}
