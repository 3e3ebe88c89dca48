// The process that hashes passwords beside the Worker: the real one, and one that hashes when the test lets it.
import { type ChildProcess, spawn } from "node:child_process";
import { argon2Sync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";

const ROOT = new URL("../../", import.meta.url).pathname;
const PROGRAM = resolve(ROOT, process.env.CARGO_TARGET_DIR ?? "target", "debug/hasher");

/** What the Worker asks for. */
export interface Wish {
  password: string;
  setting: string;
}

/** Argon2id by a setting, as Node has it. */
export function hash({ password, setting }: Wish): string {
  const [, m, t, p, salt] = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([\w+/]+)$/.exec(setting) ?? [];
  const output = argon2Sync("argon2id", {
    message: password,
    nonce: Buffer.from(salt ?? "", "base64"),
    memory: Number(m),
    passes: Number(t),
    parallelism: Number(p),
    tagLength: 32,
  });
  return `${setting}$${output.toString("base64").replace(/=+$/, "")}`;
}

/** A hasher that does as the test says. */
export class FakeHasher {
  readonly key = randomBytes(32).toString("base64url");
  /** What it answers: a status, and a text. */
  answer: (wish: Wish) => [number, string] = (wish) => [200, hash(wish)];
  readonly asked: Wish[] = [];
  #held: (() => void)[] | undefined;
  #server: Server | undefined;
  #port = 0;

  static async start(): Promise<FakeHasher> {
    const hasher = new FakeHasher();
    await hasher.listen();
    return hasher;
  }

  /** Listens, after it was ended at the same port. */
  async listen(): Promise<void> {
    this.#server = createServer((request, response) => void this.#take(request, response));
    this.#server.listen(this.#port, "127.0.0.1");
    await once(this.#server, "listening");
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  get variables(): Record<string, string> {
    return { CONNECT_HASHER: `http://127.0.0.1:${this.#port}/`, CONNECT_HASHER_KEY: this.key };
  }

  /** Answers nobody until they are let go. */
  hold(): void {
    this.#held ??= [];
  }

  /** How many wait for an answer. */
  get held(): number {
    return this.#held?.length ?? 0;
  }

  /** Lets go whoever waits. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const go of held) go();
  }

  async end(): Promise<void> {
    this.#server?.closeAllConnections();
    this.#server?.close();
    if (this.#server?.listening) await once(this.#server, "close");
  }

  async #take(request: IncomingMessage, response: ServerResponse) {
    const wish = JSON.parse(await text(request)) as Wish;
    this.asked.push(wish);
    if (request.headers.authorization !== `Bearer ${this.key}`) throw new Error("the key is not shown");
    if (this.#held) await new Promise<void>((go) => this.#held?.push(go));
    const [status, body] = this.answer(wish);
    response.writeHead(status).end(body);
  }
}

/** The real one. */
export class Hasher {
  readonly #process: ChildProcess;
  readonly address: string;
  readonly key: string;
  /** What it has printed since it was ready. */
  printed = "";

  private constructor(process: ChildProcess, address: string, key: string) {
    this.#process = process;
    this.address = address;
    this.key = key;
    for (const stream of [process.stdout, process.stderr])
      stream?.on("data", (data) => {
        this.printed += data;
      });
  }

  static async start(): Promise<Hasher> {
    const key = randomBytes(32).toString("base64url");
    const env = { CONNECT_HASHER_LISTEN: "127.0.0.1:0", CONNECT_HASHER_KEY: key };
    const child = spawn(PROGRAM, { env, stdio: ["ignore", "pipe", "pipe"] });
    const [line] = (await once(createInterface(child.stdout), "line")) as [string];
    return new Hasher(child, line.replace("ready ", ""), key);
  }

  async end(): Promise<void> {
    this.#process.kill("SIGKILL");
    await once(this.#process, "exit");
  }
}
