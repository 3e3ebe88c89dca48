// A trap in the compiled Worker: its memory is given up, and whoever comes next meets a new instance that works.
import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Modules, World } from "./world.ts";

// The Worker's parts before they are joined, and in front of them what lets a test reach in: a getter of the bindings that
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
  const snippets = readdirSync(join(PARTS, "snippets"), { recursive: true, encoding: "utf8" });
  const scripts = snippets.filter((path) => path.endsWith(".js")).map((path) => join("snippets", path));
  return {
    root: PARTS,
    scripts: [
      { path: "front.js", contents: FRONT },
      ...["worker.js", "shim.js", "index.js", ...scripts].map((path) => ({ path })),
    ],
    wasm: "index_bg.wasm",
  };
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
