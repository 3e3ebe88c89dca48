// A trap in the compiled Worker: its memory is given up, and whoever comes next meets a new instance that works.
import { resolve } from "node:path";
import { buildSync } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Modules, World } from "./world.ts";

// The Worker's parts, joined as its build does, with what lets a test reach in before them: a getter of the bindings that
// reads where there is no memory.
const ROOT = new URL("../../", import.meta.url).pathname;
const PARTS = resolve(ROOT, process.env.CARGO_TARGET_DIR ?? "target", "glue");
const FRONT = `
import { WorkerEntrypoint } from "cloudflare:workers";
import { R2Range } from "./index.js";
import Worker from "./worker.js";
export * from "./worker.js";
export default class extends WorkerEntrypoint {
  fetch(request) {
    if (new URL(request.url).pathname !== "/trap") return new Worker(this.ctx, this.env).fetch(request);
    try {
      return Response.json({ read: Object.assign(Object.create(R2Range.prototype), { __wbg_ptr: 0xffff_ff00 }).offset });
    } catch (error) {
      return Response.json({ trap: error instanceof WebAssembly.RuntimeError });
    }
  }
}`;

function modules(): Modules {
  const joined = buildSync({
    stdin: { contents: FRONT, resolveDir: PARTS },
    bundle: true,
    format: "esm",
    external: ["cloudflare:*", "*.wasm"],
    nodePaths: [resolve(ROOT, "node_modules")],
    write: false,
  });
  const [front] = joined.outputFiles;
  if (front === undefined) throw new Error("esbuild has joined nothing");
  return { root: PARTS, scripts: [{ path: "front.js", contents: front.text }], wasm: "index_bg.wasm" };
}

let world: World;
beforeAll(async () => {
  world = await World.start({}, { modules: modules() });
});
afterAll(() => world.stop());

test("after a trap people sign in, and a room that was open goes on", async () => {
  const ada = await world.person("Ada");
  const room = await ada.createRoom();
  const client = await ada.enter(room);
  expect((await world.call("/trap")).body).toEqual({ trap: true });

  client.socket.send({ type: "chat", nonce: "n1", text: "still here" });
  await client.socket.next("chatAccepted");
  const bob = await world.person("Bob");
  const second = await bob.enter(room);
  expect(second.welcome.snapshot?.participants).toHaveLength(2);
  expect(second.welcome.snapshot?.chat).toMatchObject([{ text: "still here" }]);
});
