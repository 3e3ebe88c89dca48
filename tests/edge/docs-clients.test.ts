// The clients that stand in docs/api.md do what is said of them: taken out of the document, and run against the Worker.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { CreatedKey } from "../../web/sdk/src/generated/protocol.ts";
import { Receiver } from "./receiver.ts";
import { Client, World } from "./world.ts";

const SCOPES = ["rooms:write", "tokens:write", "webhooks:write"];
const SOON = { timeout: 40_000 };

const folder = mkdtempSync(join(tmpdir(), "connect-docs-"));
let world: World;
let env: Record<string, string>;
beforeAll(async () => {
  world = await World.start({ CONNECT_WEBHOOKS_TO_LOCAL: "true" });
  const ada = await world.person("Ada");
  const body = { name: "Docs", scopes: SCOPES };
  const { secret } = (await ada.call<CreatedKey>("/api/v1/keys", { body })).body;
  env = { PATH: process.env.PATH ?? "", B: world.url, KEY: secret };
});
afterAll(async () => {
  await world.stop();
  rmSync(folder, { recursive: true });
});

/** The piece of the document that begins so, in a file. */
function piece(language: string, beginning: string): string {
  const document = readFileSync(new URL("../../docs/api.md", import.meta.url), "utf8");
  const pieces = document.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, "gms"));
  const found = [...pieces].map(([, text]) => text ?? "").find((text) => text.startsWith(beginning));
  const file = join(folder, `client.${language}`);
  writeFileSync(file, found ?? "");
  return file;
}

/** Runs a program, and gathers what it says. */
function run(program: string, args: string[], more: object): { child: ChildProcess; said: () => string } {
  const child = spawn(program, args, { env: { ...env, ...more } });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (text += chunk));
  return { child, said: () => text };
}

const done = (child: ChildProcess) => new Promise<number | null>((resolve) => child.on("close", resolve));

test("curl makes a room, lets somebody in, joins, and has a webhook", async () => {
  const receiver = await Receiver.start();
  const { child, said } = run("bash", [piece("sh", "# curl")], { HOOK: receiver.url });
  expect([await done(child), said()]).toEqual([
    0,
    expect.stringMatching(/^secret whsec_\S+\nroom \S+\nsocket \S+\n$/),
  ]);
  const [, secret = "", , path = ""] = /secret (\S+)\nroom (\S+)\nsocket (\S+)/.exec(said()) ?? [];
  receiver.secrets = [secret];
  const client = await Client.open(world, path);
  expect(client.welcome.snapshot?.participants).toMatchObject([{ name: "Gil", role: "moderator" }]);
  await expect.poll(() => receiver.kinds().sort(), SOON).toEqual(["participant.joined", "room.started"]);
  expect(receiver.forged).toEqual([]);
  receiver.stop();
});

test("TypeScript does the same, and checks what its webhook is told", async () => {
  const port = await new Promise<number>((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
  const flags = [
    "--experimental-transform-types",
    "--disable-warning=ExperimentalWarning",
    "--input-type=module-typescript",
  ];
  const text = readFileSync(piece("ts", "// TypeScript"), "utf8");
  const { child, said } = run(process.execPath, [...flags, "--eval", text], { PORT: `${port}` });
  const lines = () =>
    said()
      .split("\n")
      .map((line) => line.split(" ").slice(0, 3).join(" "));
  await expect.poll(lines, SOON).toEqual(expect.arrayContaining(["room says welcome"]));
  await expect.poll(() => said(), SOON).toMatch(/heard participant\.joined msg_/);
  expect(said()).toMatch(/heard room\.started msg_/);
  child.kill();
  await done(child);
});
