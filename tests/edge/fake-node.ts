// A media node's side of its links, spoken over real WebSockets. It carries no media.
import { createHmac } from "node:crypto";
import { Socket } from "./socket.ts";
import { NODE_KEY, type World } from "./world.ts";

/** By what a message is followed. */
interface Trail {
  request: string;
  traceparent?: string;
}

type ToNode =
  | { type: "registered"; heartbeatSeconds: number }
  | { type: "openRoom"; room: string; epoch: number; trail?: Trail }
  | { type: "refused"; message: string };

type ToRoomLink =
  | {
      type: "plan";
      epoch: number;
      peers: { node: string; region: string; quic: string; fingerprint: string }[];
      breakouts: number[];
    }
  | {
      type: "offer";
      participant: string;
      attempt: number;
      sdp: string;
      sources: object[];
      caps: object;
      breakout: number | null;
      trail?: Trail;
    }
  | { type: "breakout"; participant: string; breakout: number | null }
  | { type: "caps"; participant: string; caps: object }
  | { type: "close"; participant: string; attempt: number }
  | { type: "release" };

export function nodeToken(
  node: string,
  region: string,
  claims: object = {},
  key = NODE_KEY,
  header = {},
): string {
  const now = Math.floor(Date.now() / 1000);
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const body = { sub: node, region, iat: now, exp: now + 60, aud: "connect-edge", ...claims };
  const signed = `${encode({ alg: "HS256", typ: "JWT", ...header })}.${encode(body)}`;
  return `${signed}.${createHmac("sha256", key).update(signed).digest("base64url")}`;
}

/** The key of a node alone, made of one of the fleet's. */
export function keyOf(node: string, region: string, fleet: { kid: string; key: string }, until = 0): NodeKey {
  const certificate = `connect node key\n${region}\n${node}\n${until}`;
  const key = createHmac("sha256", fleet.key).update(certificate).digest("base64url");
  return { kid: fleet.kid, key, until };
}

export interface NodeKey {
  kid: string;
  key: string;
  until: number;
}

/** What a node says that has a key of its own, of itself or of somebody else. */
export function ownToken(node: string, region: string, { kid, key, until }: NodeKey): string {
  return nodeToken(node, region, { key_until: until }, key, { kid });
}

export const LOAD = { cpu: 0.1, sessions: 0, rooms: 0, maxSessions: 100 };

export class FakeNode {
  private constructor(
    readonly world: World,
    readonly node: string,
    readonly region: string,
    readonly control: Socket<ToNode>,
    readonly beat: NodeJS.Timeout,
  ) {}

  static async register(
    world: World,
    node: string,
    region: string,
    load: object = LOAD,
    probes: string[] = [],
  ): Promise<FakeNode> {
    const control = await Socket.open<ToNode>(`${world.url}/node/regions/${region}`, {
      authorization: `Bearer ${nodeToken(node, region)}`,
    });
    control.send({ type: "register", version: 2, node, region, load, probes });
    const { heartbeatSeconds } = await control.next("registered");
    const beat = setInterval(() => control.send({ type: "heartbeat", load }), heartbeatSeconds * 1000);
    return new FakeNode(world, node, region, control, beat);
  }

  /** Waits to be given a room, and opens its link. */
  async openRoom(): Promise<RoomLink> {
    const { room, epoch } = await this.control.next("openRoom");
    return this.link(room, epoch);
  }

  async link(room: string, epoch: number, sessions: object[] = []): Promise<RoomLink> {
    const socket = await Socket.open<ToRoomLink>(`${this.world.url}/node/rooms/${room}?epoch=${epoch}`, {
      authorization: `Bearer ${nodeToken(this.node, this.region)}`,
    });
    const fingerprint = Buffer.from(this.node.padEnd(32)).toString("hex");
    socket.send({ type: "ready", version: 2, quic: `${this.node}.example:7000`, fingerprint, sessions });
    return { socket, room, epoch };
  }

  die(): void {
    clearInterval(this.beat);
    this.control.close();
  }
}

export interface RoomLink {
  socket: Socket<ToRoomLink>;
  room: string;
  epoch: number;
}
