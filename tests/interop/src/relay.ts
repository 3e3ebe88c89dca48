// A path between a client and the node that loses media: a relay of datagrams on loopback.
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";

const LOOPBACK = "127.0.0.1";

export class Relay {
  /** How many packets it has dropped. */
  dropped = 0;
  private readonly front: Socket;
  private readonly back: Socket;
  private readonly loss: number;
  private noise: number;
  private client: number | undefined;

  private constructor([front, back]: [Socket, Socket], node: number, loss: number, seed: number) {
    this.front = front;
    this.back = back;
    this.loss = loss;
    this.noise = seed;
    front.on("message", (data, from) => {
      this.client = from.port;
      if (this.lets(data)) back.send(data, node, LOOPBACK);
    });
    back.on("message", (data) => {
      if (this.client !== undefined && this.lets(data)) front.send(data, this.client, LOOPBACK);
    });
  }

  /** A path to the node's port that loses this share of its media, in both directions; the seed says which. */
  static async to(node: number, loss: number, seed: number): Promise<Relay> {
    const sockets: [Socket, Socket] = [createSocket("udp4"), createSocket("udp4")];
    for (const socket of sockets) {
      socket.bind(0, LOOPBACK);
      await once(socket, "listening");
    }
    return new Relay(sockets, node, loss, seed);
  }

  get port(): number {
    return this.front.address().port;
  }

  close(): void {
    this.front.close();
    this.back.close();
  }

  /** RTP and RTCP alone are lost (RFC 7983): how a handshake is repeated is not what is looked at. */
  private lets(data: Buffer): boolean {
    const first = data[0] ?? 0;
    if (first < 128 || first > 191) return true;
    this.noise = (Math.imul(this.noise, 1_664_525) + 1_013_904_223) >>> 0;
    const lost = this.noise / 2 ** 32 < this.loss;
    if (lost) this.dropped += 1;
    return !lost;
  }
}

/** An answer whose only candidate is this port: the way through a relay. */
export function through(port: number, answer: string): string {
  const lines = answer.split("\r\n").filter((line) => !/^a=candidate:.* tcp /i.test(line));
  return lines
    .map((line) => line.replace(/^(a=candidate:.* udp \d+) \S+ \d+ typ/i, `$1 ${LOOPBACK} ${port} typ`))
    .join("\r\n");
}
