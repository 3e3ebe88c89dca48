// Prints what the compiled Worker consists of, by its copy with names that the build leaves beside its parts: sections, and
// code by crate and by function, generic ones once for all their instances. Given numbers, as a stack in the log has them
// (`wasm-function[1234]`), it prints the names of those functions instead.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { gzipSync } from "node:zlib";

const ROOT = new URL("../../", import.meta.url).pathname;
const NAMED = resolve(ROOT, process.env.CARGO_TARGET_DIR ?? "target", "glue/named.wasm");
/** How many lines a table has. */
const LINES = 40;
/** Sections of a module (WebAssembly Core Specification, 5.5.2), by number. */
const SECTIONS = [
  "custom",
  "types",
  "imports",
  "functions",
  "tables",
  "memories",
  "globals",
  "exports",
  "start",
  "elements",
  "code",
  "data",
  "data count",
  "tags",
];
const [CUSTOM, IMPORTS, CODE] = [0, 2, 10];

/** Reads a module from front to back. */
class Reader {
  private at = 0;
  private readonly bytes: Uint8Array;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
  get done() {
    return this.at >= this.bytes.length;
  }
  byte() {
    return this.bytes[this.at++] ?? 0;
  }
  number() {
    for (let value = 0, unit = 1; ; unit *= 128) {
      const byte = this.byte();
      value += (byte & 127) * unit;
      if (byte < 128) return value;
    }
  }
  take(length: number) {
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
  text() {
    return new TextDecoder().decode(this.take(this.number()));
  }
  limits() {
    if (this.byte() & 1) this.number();
    this.number();
  }
}

interface Module {
  /** Contents by the name of their section, in order. */
  sections: [string, Uint8Array][];
  /** Bytes of each function that the module defines. */
  sizes: number[];
  /** How many functions it imports: they are numbered first. */
  imported: number;
  names: Map<number, string>;
}

function parse(bytes: Uint8Array): Module {
  const module: Module = { sections: [], sizes: [], imported: 0, names: new Map() };
  const reader = new Reader(bytes.subarray(8));
  while (!reader.done) {
    const id = reader.byte();
    const contents = reader.take(reader.number());
    const section = new Reader(contents);
    let name = SECTIONS[id] ?? `section ${id}`;
    if (id === CUSTOM) {
      name = section.text();
      if (name === "name") readNames(section, module.names);
    }
    if (id === IMPORTS) module.imported = importedFunctions(section);
    if (id === CODE) {
      for (let left = section.number(); left > 0; left--)
        module.sizes.push(section.take(section.number()).length);
    }
    module.sections.push([name, contents]);
  }
  return module;
}

function importedFunctions(section: Reader): number {
  let functions = 0;
  for (let left = section.number(); left > 0; left--) {
    section.text();
    section.text();
    const kind = section.byte();
    if (kind === 0) functions++;
    if (kind === 0) section.number();
    if (kind === 1) section.byte();
    if (kind === 1 || kind === 2) section.limits();
    if (kind === 3 || kind === 4) section.take(2);
  }
  return functions;
}

function readNames(section: Reader, names: Map<number, string>) {
  const FUNCTIONS = 1;
  while (!section.done) {
    const kind = section.byte();
    const part = new Reader(section.take(section.number()));
    if (kind !== FUNCTIONS) continue;
    for (let left = part.number(); left > 0; left--) names.set(part.number(), part.text());
  }
}

/** The name without the hash that tells instances apart. */
const generic = (name: string) =>
  name.replace(/(::h[0-9a-f]{16}|\[[0-9a-f]{16}\]|\.llvm\.\d+|\.\d+)(?=$|::|>|,| )/g, "");

/** Which crate a function is of: that of the type that it is implemented for, or dropped. */
function crate(name: string): string {
  const [, dropped] = /^core::ptr::drop_in_place<(.*)>$/.exec(name) ?? [];
  if (dropped !== undefined) return `drop: ${crate(dropped)}`;
  return /^[<&(*[]*(?:(?:mut|const|dyn) )*(\w+)/.exec(name)?.[1] ?? name;
}

function table(title: string, rows: Iterable<[string, number]>) {
  const sums = new Map<string, { bytes: number; count: number }>();
  let total = 0;
  for (const [name, bytes] of rows) {
    const sum = sums.get(name) ?? { bytes: 0, count: 0 };
    sums.set(name, { bytes: sum.bytes + bytes, count: sum.count + 1 });
    total += bytes;
  }
  const sorted = [...sums].sort(([, a], [, b]) => b.bytes - a.bytes).slice(0, LINES);
  process.stdout.write(`\n${title}: ${total} bytes\n   bytes     %  count\n`);
  for (const [name, { bytes, count }] of sorted) {
    const share = ((100 * bytes) / total).toFixed(1);
    process.stdout.write(
      `${String(bytes).padStart(8)} ${share.padStart(5)} ${String(count).padStart(6)}  ${name}\n`,
    );
  }
}

const module = parse(readFileSync(NAMED));
const numbers = process.argv.slice(2).map(Number);
for (const number of numbers)
  process.stdout.write(`${number}  ${module.names.get(number) ?? "no such function"}\n`);
if (numbers.length === 0) {
  process.stdout.write("   bytes  gzipped  section\n");
  for (const [name, contents] of module.sections) {
    const packed = gzipSync(contents, { level: 9 }).length;
    process.stdout.write(`${String(contents.length).padStart(8)} ${String(packed).padStart(8)}  ${name}\n`);
  }
  const functions = module.sizes.map((bytes, at): [string, number] => [
    generic(module.names.get(module.imported + at) ?? "without a name"),
    bytes,
  ]);
  table(
    "Code by crate",
    functions.map(([name, bytes]) => [crate(name), bytes]),
  );
  table("Code by function", functions);
}
