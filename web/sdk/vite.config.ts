// Builds the SDK as a library (for its size, and for those who embed it) and runs its tests.
import { defineConfig } from "vitest/config";

export default defineConfig({
  build: {
    lib: { entry: { index: "src/index.ts", call: "src/call/index.ts" }, formats: ["es"] },
    target: "es2023",
    minify: true,
  },
  test: { include: ["tests/**/*.test.ts"], environment: "node", testTimeout: 30_000, hookTimeout: 30_000 },
});
