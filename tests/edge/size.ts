// Prints the Worker's size as it is uploaded, and fails above the limit of 1 MB.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const LIMIT = 1_000_000;
const build = new URL("../../edge/build/", import.meta.url);
const size = (name: string) => gzipSync(readFileSync(new URL(name, build)), { level: 9 }).length;
const total = size("index.js") + size("index_bg.wasm");
process.stdout.write(`Worker: ${(total / 1000).toFixed(0)} kB gzipped (limit ${LIMIT / 1000} kB)\n`);
if (total > LIMIT) process.exitCode = 1;
