// Builds the app into static files that the Worker serves, and runs its tests.
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react()],
  // Everything is a file of our own origin: the content security policy allows nothing else.
  build: {
    target: "es2023",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The app, and the documentation of the API.
    rolldownOptions: { input: ["index.html", "docs.html"] },
  },
  // Against `cargo xtask dev`, for work on the pages with hot reload.
  server: {
    proxy: {
      "/api": { target: "http://127.0.0.1:8787", ws: true },
      "/.well-known": { target: "http://127.0.0.1:8787" },
    },
  },
  test: {
    include: ["src/**/*.test.{ts,tsx}"],
    environment: "happy-dom",
    setupFiles: ["src/test-patience.ts"],
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
