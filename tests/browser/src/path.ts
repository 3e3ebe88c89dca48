// The path between a browser and its node, under control: narrow, wide, or cut.
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import type { Page } from "playwright-core";
import type { NodeInfo } from "./stack.ts";

/** What waits longer than this in a narrow path is dropped, as in a small router. */
const LONGEST_WAIT_MS = 200;

/** A way in one direction: packets leave at its rate, and those that would wait too long are lost. */
class Lane {
  bitsPerSecond = Number.POSITIVE_INFINITY;
  isCut = false;
  #free = 0;

  carry(bytes: number, deliver: () => void): void {
    if (this.isCut) return;
    const now = performance.now();
    const leaves = Math.max(now, this.#free) + (bytes * 8_000) / this.bitsPerSecond;
    if (leaves - now > LONGEST_WAIT_MS) return;
    this.#free = leaves;
    if (leaves - now < 1) deliver();
    else setTimeout(() => this.isCut || deliver(), leaves - now);
  }
}

/** A UDP proxy before a node. A page takes it by {@link Path.lead}. */
export class Path {
  readonly up = new Lane();
  readonly down = new Lane();
  readonly #front: Socket;
  readonly #backs = new Map<number, Socket>();
  readonly #node: { host: string; port: number };

  private constructor(front: Socket, node: { host: string; port: number }) {
    this.#front = front;
    this.#node = node;
    front.on("message", (data, from) => this.#fromBrowser(data, from));
  }

  /** A new path to a node. */
  static async to({ media }: NodeInfo): Promise<Path> {
    const [host = "", port] = media.split(":");
    const front = createSocket("udp4");
    // A test that fails on its way to the end leaves nothing open that would keep it from ending.
    front.unref();
    front.bind(0, host);
    await once(front, "listening");
    return new Path(front, { host, port: Number(port) });
  }

  /** Both directions carry this from now on. */
  limit(bitsPerSecond: number): void {
    this.up.bitsPerSecond = bitsPerSecond;
    this.down.bitsPerSecond = bitsPerSecond;
  }

  /** Nothing crosses any more. */
  cut(): void {
    this.up.isCut = true;
    this.down.isCut = true;
  }

  /** It carries again. */
  mend(): void {
    this.up.isCut = false;
    this.down.isCut = false;
  }

  /** The next connections of this page to the node go this way; before the page is opened, and again when they are to change. */
  async lead(page: Page): Promise<void> {
    const route = { host: this.#node.host, port: this.#node.port, through: this.#front.address().port };
    await page.addInitScript(reroute, route);
    // A page that is open already has the script.
    await page.evaluate((changed) => Object.assign(window, { route: changed }), route);
  }

  close(): void {
    this.cut();
    this.#front.close();
    for (const back of this.#backs.values()) back.close();
  }

  /** Each of the browser's ports gets one of ours. */
  #fromBrowser(data: Buffer, from: RemoteInfo): void {
    let back = this.#backs.get(from.port);
    if (back === undefined) {
      back = createSocket("udp4");
      back.unref();
      back.on("message", (answer) =>
        this.down.carry(answer.length, () => this.#front.send(answer, from.port, from.address)),
      );
      this.#backs.set(from.port, back);
    }
    const socket = back;
    this.up.carry(data.length, () => socket.send(data, this.#node.port, this.#node.host));
  }
}

/** Runs in the page before its own scripts: of the node's candidates, only the one of this route is left. */
function reroute(route: { host: string; port: number; through: number }): void {
  const original = RTCPeerConnection.prototype.setRemoteDescription;
  const here = window as unknown as { route?: typeof route };
  here.route ??= route;
  RTCPeerConnection.prototype.setRemoteDescription = function (description) {
    const { host, port, through } = here.route ?? route;
    const lines = description.sdp?.split("\r\n") ?? [];
    const sdp = lines
      .filter((line) => !line.startsWith("a=candidate:") || / udp /i.test(line))
      .map((line) => line.replace(` ${host} ${port} `, ` ${host} ${through} `))
      .filter((line) => !line.startsWith("a=candidate:") || line.includes(` ${host} ${through} `))
      .join("\r\n");
    return Reflect.apply(original, this, [{ ...description, sdp }]);
  };
}
