// A media node's process, and the edge that it dials: as much of one as hands offers in and answers out.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type WebSocket, WebSocketServer } from "ws";
import { KINDS, type Peer } from "./stack.ts";

const REGION = "eu-west";
const SOURCES = { audio: "microphone", video: "camera" } as const;
/** What a participant may do who may do everything. */
const CAPS = { audio: true, video: true };

type FromNode = { type: string; participant?: string; sdp?: string; message?: string };

/** A room that the node has. */
export class Room {
  private readonly link: WebSocket;
  private people = 0;

  constructor(link: WebSocket) {
    this.link = link;
  }

  /** Offers for a new participant; returns the answer. */
  async join(peer: Peer): Promise<string> {
    const participant = `p${++this.people}`;
    const sources = KINDS.map((kind) => ({ mid: peer.mids[kind], source: SOURCES[kind] }));
    const offer = { type: "offer", participant, attempt: 1, sdp: peer.sdp, sources, caps: CAPS };
    const answered = this.hear((said) => said.participant === participant && said.type !== "connected");
    this.link.send(JSON.stringify(offer));
    const said = await answered;
    if (said.sdp === undefined) throw new Error(`the offer is refused: ${said.message}\n${peer.sdp}`);
    return said.sdp;
  }

  /** Nobody is here any more. */
  release(): void {
    this.link.send(JSON.stringify({ type: "release" }));
  }

  private hear(wanted: (said: FromNode) => boolean): Promise<FromNode> {
    return new Promise((resolve) => {
      const look = (data: Buffer) => {
        const said = JSON.parse(String(data)) as FromNode;
        if (!wanted(said)) return;
        this.link.off("message", look);
        resolve(said);
      };
      this.link.on("message", look);
    });
  }
}

/** Where the node's links end. */
class Edge {
  readonly registered: Promise<WebSocket>;
  private readonly server = createServer();
  private readonly waiting = new Map<string, (link: WebSocket) => void>();

  constructor() {
    const { promise, resolve } = Promise.withResolvers<WebSocket>();
    this.registered = promise;
    new WebSocketServer({ server: this.server }).on("connection", (link, request) => {
      const path = (request.url ?? "").replace(/\?.*/, "");
      // On each link the node speaks first: it registers, or is ready.
      link.once("message", () => {
        if (path === `/node/regions/${REGION}`) {
          link.send(JSON.stringify({ type: "registered", heartbeatSeconds: 30 }));
          resolve(link);
        } else {
          this.waiting.get(path)?.(link);
        }
      });
    });
  }

  async listen(): Promise<string> {
    this.server.listen(0, "127.0.0.1");
    await once(this.server, "listening");
    const { address, port } = this.server.address() as AddressInfo;
    return `${address}:${port}`;
  }

  /** The link that the node opens there. */
  link(path: string): Promise<WebSocket> {
    return new Promise((resolve) => this.waiting.set(path, resolve));
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

interface Parts {
  edge: Edge;
  child: ChildProcess;
  directory: string;
  control: WebSocket;
}

export class Node {
  /** Its media port. */
  readonly port: number;
  private readonly parts: Parts;
  private rooms = 0;

  private constructor(parts: Parts, port: number) {
    this.parts = parts;
    this.port = port;
  }

  static async start(program: string): Promise<Node> {
    const edge = new Edge();
    const address = await edge.listen();
    const directory = mkdtempSync(join(tmpdir(), "connect-interop-"));
    const flags = ["--edge", `http://${address}`, "--region", REGION, "--node-id", "interop-1"];
    const own = ["--media", "127.0.0.1:0", "--shards", "1", "--data-dir", directory];
    const child = spawn(program, [...flags, ...own], {
      // Nobody checks the key here.
      env: { ...process.env, CONNECT_NODE_KEY: "0".repeat(43), NO_COLOR: "1", RUST_LOG: "warn" },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [ready] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    const port = Number(/ media=\S+:(\d+)/.exec(ready)?.[1]);
    return new Node({ edge, child, directory, control: await edge.registered }, port);
  }

  /** A room of its own. */
  async room(): Promise<Room> {
    const { edge, control } = this.parts;
    const room = `room-${++this.rooms}`;
    const opened = edge.link(`/node/rooms/${room}`);
    control.send(JSON.stringify({ type: "openRoom", room, epoch: 1 }));
    return new Room(await opened);
  }

  async stop(): Promise<void> {
    const { edge, child, directory } = this.parts;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
    edge.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

let running: Promise<Node> | undefined;

/** The one node of a file, started by the first test that asks. */
export function node(): Promise<Node> {
  const program = process.env.CONNECT_NODE;
  if (!program)
    throw new Error("CONNECT_NODE names the node's program: run `cargo xtask test --only interop`");
  running ??= Node.start(program);
  return running;
}

/** Ends it, if one was started. */
export async function stopNode(): Promise<void> {
  const stopping = running;
  running = undefined;
  await (await stopping)?.stop();
}
