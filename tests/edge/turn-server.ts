// A real TURN server that knows nobody, and shares a secret with the edge: on loopback, or in a network of the tests' own.
import { type ChildProcess, spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const RELAY_PORTS = { min: 52_000, max: 52_200 };

async function freePort(host: string): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}

function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const settle = (result: boolean) => () => {
      socket.destroy();
      resolve(result);
    };
    socket.once("connect", settle(true)).once("error", settle(false));
  });
}

export class TurnServer {
  readonly host: string;
  readonly port: number;
  readonly #secret: string;
  #process: ChildProcess;
  #folder: string;

  private constructor(
    at: { host: string; port: number; secret: string },
    process: ChildProcess,
    folder: string,
  ) {
    this.host = at.host;
    this.port = at.port;
    this.#secret = at.secret;
    this.#process = process;
    this.#folder = folder;
  }

  static async start(secret: string, host = "127.0.0.1", wanted?: number): Promise<TurnServer> {
    const port = wanted ?? (await freePort(host));
    const folder = mkdtempSync(join(tmpdir(), "connect-turn-"));
    const options = [
      "-n",
      `--listening-ip=${host}`,
      `--relay-ip=${host}`,
      `--listening-port=${port}`,
      `--min-port=${RELAY_PORTS.min}`,
      `--max-port=${RELAY_PORTS.max}`,
      "--use-auth-secret",
      `--static-auth-secret=${secret}`,
      "--realm=connect.test",
      "--no-tls",
      "--no-dtls",
      "--no-cli",
      "--allow-loopback-peers",
      "--log-file=stdout",
      "--simple-log",
      `--pidfile=${join(folder, "pid")}`,
      `--userdb=${join(folder, "users")}`,
    ];
    const process = spawn("turnserver", options, { stdio: ["ignore", "ignore", "inherit"] });
    const failed = new Promise<never>((_, reject) => {
      process.once("error", reject);
      process.once("exit", (code) => reject(new Error(`turnserver ended with ${code}`)));
    });
    failed.catch(() => {});
    // Its output comes late when nobody reads it at a terminal; it listens on TCP, too, and that can be asked.
    while (!(await Promise.race([answers(host, port), failed]))) await pause(50);
    return new TurnServer({ host, port, secret }, process, folder);
  }

  /** What the edge hands out: a name that expires at this time (in seconds since 1970), and its password. */
  credentials(expiry: number, owner: string): { username: string; credential: string } {
    const username = `${expiry}:${owner}`;
    const credential = createHmac("sha1", this.#secret).update(username).digest("base64");
    return { username, credential };
  }

  /** Whether it relays packets for this user: asked by coturn's own client. */
  async relays(username: string, password: string): Promise<boolean> {
    const options = ["-y", "-c", "-n", "2", "-m", "1", "-l", "100", "-u", username, "-w", password];
    const client = spawn("turnutils_uclient", [...options, "-p", `${this.port}`, this.host], {
      stdio: "ignore",
    });
    const [code] = await once(client, "exit");
    return code === 0;
  }

  async stop(): Promise<void> {
    const ended = once(this.#process, "exit");
    this.#process.kill();
    await ended;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
