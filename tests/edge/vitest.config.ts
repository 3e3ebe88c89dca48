// How the edge is tested: one workerd a file, and few at a time.
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["*.test.ts"],
    // What a room takes in a second is limited, so that some flows take their time, on a busy machine most of all.
    testTimeout: 120_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 10_000 } },
    maxWorkers: 2,
    silent: true,
  },
});
