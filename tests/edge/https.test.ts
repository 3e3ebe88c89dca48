// HTTPS for devices beside a development machine: passes on what people send, and nothing of nodes.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Room, ServerMessage, Session } from "../../web/sdk/src/generated/protocol.ts";
import { serve } from "../../xtask/src/https.ts";
import { Socket } from "./socket.ts";
import { World } from "./world.ts";

const folder = mkdtempSync(join(tmpdir(), "connect-https-"));
let world: World;
let door: Awaited<ReturnType<typeof serve>>;
let url: string;

beforeAll(async () => {
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const subject = ["-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"];
  const made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, ...subject];
  execFileSync("openssl", made, { stdio: "ignore" });
  setDefaultCACertificates([...getCACertificates(), readFileSync(cert, "utf8")]);
  world = await World.start({ CONNECT_LIMIT_REGISTER: "1/900" });
  const to = Number(new URL(world.url).port);
  const files = { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
  door = await serve({ address: "127.0.0.1", port: 0, to, ...files });
  url = `https://127.0.0.1:${door.port}`;
});
afterAll(async () => {
  door.close();
  await world.stop();
  rmSync(folder, { recursive: true });
});

async function register(claimed: string): Promise<Response> {
  const account = { email: `ada-${claimed}@example.com`, password: "password123", name: "Ada" };
  const headers = { "content-type": "application/json", "cf-connecting-ip": claimed };
  return fetch(`${url}/api/auth/register`, { method: "POST", headers, body: JSON.stringify(account) });
}

test("somebody registers and enters a room; the address is the door's to say", async () => {
  const registered = await register("198.51.100.1");
  expect(registered.status).toBe(201);
  const { token } = (await registered.json()) as Session;
  expect((await register("198.51.100.2")).status, "a claimed address is no way around a limit").toBe(429);

  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const post = async (path: string, body: object) =>
    (await fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) })).json();
  const room = (await post("/api/rooms", { name: "Beside" })) as Room;
  const { url: path } = (await post(`/api/rooms/${room.id}/join`, {})) as { url: string };
  const socket = await Socket.open<ServerMessage>(url + path);
  expect((await socket.next("welcome")).you).toBeTruthy();
  socket.close();
  await socket.closed;
});

/** The status of an answer to a path as it stands: fetch would tidy it up first. */
const statusOf = (path: string, headers: Record<string, string> = {}) =>
  new Promise<number | undefined>((resolve, reject) => {
    const options = { host: "127.0.0.1", port: door.port, path, headers, agent: false };
    get(options, (answer) => resolve(answer.resume().statusCode)).on("error", reject);
  });
const UPGRADE = { connection: "Upgrade", upgrade: "websocket" };

test("links of nodes do not come this way", async () => {
  for (const path of [
    "/node/regions/eu-west",
    "/./node/regions/eu-west",
    "/api/../node/regions/eu-west",
    "/api/%2e%2e/node/regions/eu-west",
  ]) {
    expect(await statusOf(path), path).toBe(404);
  }
  await expect(Socket.open(`${url}/node/regions/eu-west`)).rejects.toThrow("refused");
});

test("what could be read as one path or another is refused, and the door stays open", async () => {
  for (const path of [
    "//",
    "//node/regions/eu-west",
    "/.//node/regions/eu-west",
    "/\\node/regions/eu-west",
    "/api\\..\\node/regions/eu-west",
    "/api/..%2fnode/regions/eu-west",
    "/api/..%5Cnode/regions/eu-west",
    "https://any/api/ice-servers",
    "*",
  ]) {
    expect(await statusOf(path), path).toBe(400);
    expect(await statusOf(path, UPGRADE), `upgrade ${path}`).toBe(400);
  }
  expect(await statusOf("/.well-known/jwks.json?of=a%2fb\\c")).toBe(200);
});
