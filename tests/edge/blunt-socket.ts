// A WebSocket of somebody who means harm: frames by the thousand in one write, and no ear for a close.
import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";

const TEXT = 0x81;
const BINARY = 0x82;
const CLOSE = 0x88;

/** A client's frame (RFC 6455, 5.2), masked with zeros. */
function frame(kind: number, payload: Buffer): Buffer {
  const { length } = payload;
  const head = Buffer.from([kind, length < 126 ? 0x80 | length : 0xff]);
  const long = Buffer.alloc(length < 126 ? 0 : 8);
  if (length >= 126) long.writeBigUInt64BE(BigInt(length));
  return Buffer.concat([head, long, Buffer.alloc(4), payload]);
}

export class BluntSocket {
  /** The code with which the server closes. */
  readonly closed: Promise<number>;

  readonly #socket: Socket;

  private constructor(socket: Socket, early: Buffer) {
    this.#socket = socket;
    this.closed = closeIn(socket, early);
    socket.on("error", () => {}); // The close follows.
  }

  static async open(url: string, headers: Record<string, string> = {}): Promise<BluntSocket> {
    const { hostname, port, pathname, search } = new URL(url);
    const socket = connect(Number(port), hostname);
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    const key = randomBytes(16).toString("base64");
    socket.write(
      [
        `GET ${pathname}${search} HTTP/1.1`,
        `Host: ${hostname}:${port}`,
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        `Sec-WebSocket-Key: ${key}`,
        ...lines,
        "\r\n",
      ].join("\r\n"),
    );
    let seen = Buffer.alloc(0);
    while (!seen.includes("\r\n\r\n")) {
      seen = Buffer.concat([seen, await new Promise<Buffer>((resolve) => socket.once("data", resolve))]);
    }
    if (!seen.includes(" 101 ")) throw new Error(`refused: ${seen.toString().split("\r\n")[0]}`);
    return new BluntSocket(socket, seen.subarray(seen.indexOf("\r\n\r\n") + 4));
  }

  /** Sends the same text so many times at once, and again as soon as that has left, until {@link end}. */
  flood(text: string, times: number): void {
    this.#flood(frame(TEXT, Buffer.from(text)), times);
  }

  floodBytes(bytes: Buffer, times: number): void {
    this.#flood(frame(BINARY, bytes), times);
  }

  /** Ends it without a word. */
  end(): void {
    this.#socket.destroy();
  }

  #flood(one: Buffer, times: number): void {
    const wave = Buffer.concat(Array<Buffer>(times).fill(one));
    const next = () => {
      if (!this.#socket.destroyed) this.#socket.write(wave, next);
    };
    next();
  }
}

/** Reads the server's frames, up to a close. */
function closeIn(socket: Socket, early: Buffer): Promise<number> {
  let buffer = early;
  return new Promise((resolve) => {
    const read = () => {
      for (;;) {
        const short = (buffer[1] ?? 0) & 0x7f;
        const head = short < 126 ? 2 : short === 126 ? 4 : 10;
        if (buffer.length < head) return;
        const length =
          short < 126 ? short : short === 126 ? buffer.readUInt16BE(2) : Number(buffer.readBigUInt64BE(2));
        if (buffer.length < head + length) return;
        if (buffer[0] === CLOSE) resolve(buffer.readUInt16BE(head));
        buffer = buffer.subarray(head + length);
      }
    };
    socket.on("data", (data: Buffer) => {
      buffer = Buffer.concat([buffer, data]);
      read();
    });
    read();
  });
}
