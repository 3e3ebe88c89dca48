// Prints the Worker's size as it is uploaded, beside what it should have, and fails above what it may have (decision 0027).
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const AIM = 1_000_000;
const LIMIT = 1_055_000;
const build = new URL("../../edge/build/", import.meta.url);
const size = (name: string) => gzipSync(readFileSync(new URL(name, build)), { level: 9 }).length;
const total = size("index.js") + size("index_bg.wasm");
process.stdout.write(
  `Worker: ${(total / 1000).toFixed(0)} kB gzipped (aim ${AIM / 1000} kB, limit ${LIMIT / 1000} kB)\n`,
);
if (total > LIMIT) process.exitCode = 1;
