// A WebRTC stack that is neither a browser's nor ours, as the tests use it: it offers, sends packets, and tells what comes.

export type Kind = "audio" | "video";

export const KINDS: readonly Kind[] = ["audio", "video"];

/** Of what nobody asks for again this share may be missing, in frames, where one packet in twenty is lost twice on its way. */
export const UNREPAIRED = 0.35;

/** What differs between two packets of a stream. */
export interface Packet {
  sequence: number;
  timestamp: number;
  marker: boolean;
  payload: Buffer;
}

/** In what an offer differs from what its stack says by itself: m-lines on which it both sends and receives, and all it knows. */
export interface Wish {
  /** It sends on some m-lines, and receives on others. */
  apart?: boolean;
  withoutTransportCc?: boolean;
  withoutRepair?: boolean;
}

/** One end of a call. */
export interface Peer {
  /** Its offer. */
  readonly sdp: string;
  /** The mid of the m-line on which it sends each kind. */
  readonly mids: Record<Kind, string>;
  /** Takes the answer; resolves when media can flow. */
  accept(answer: string): Promise<void>;
  send(kind: Kind, packet: Packet): void;
  /** All that has come of a kind. */
  received(kind: Kind): Packet[];
  /** The types of the RTCP packets that have come, datagram by datagram, of a stack that tells. */
  compounds?(): number[][];
  close(): Promise<void>;
}

export interface Stack {
  readonly name: string;
  /**
   * The share of pictures that it may lack where packets are lost: none where it goes on asking for what is lost, and others may
   * ask it, in repair packets (RFC 4588) or without.
   */
  readonly mayLack: number;
  offer(wish: Wish): Promise<Peer>;
}

/** The mids on which an offer sends: of each kind the first. */
export function midsOf(sdp: string): Record<Kind, string> {
  const found: Partial<Record<Kind, string>> = {};
  for (const section of sdp.split(/^m=/m).slice(1)) {
    const kind = KINDS.find((kind) => section.startsWith(`${kind} `));
    const mid = /^a=mid:(\S+)/m.exec(section)?.[1];
    if (kind && mid !== undefined) found[kind] ??= mid;
  }
  const { audio, video } = found;
  if (audio === undefined || video === undefined) throw new Error("the offer lacks an m-line");
  return { audio, video };
}

/** An RTP packet (RFC 3550, 5.1) without its extensions and padding. */
export function readPacket(data: Buffer): Packet | undefined {
  const first = data[0];
  const second = data[1];
  if (data.length < 12 || first === undefined || second === undefined || first >> 6 !== 2) return undefined;
  // RTCP shares the port (RFC 5761, 4).
  if ((second & 0x7f) >= 64 && (second & 0x7f) < 96) return undefined;
  let start = 12 + 4 * (first & 0x0f);
  if (first & 0x10) start += 4 + 4 * data.readUInt16BE(start + 2);
  const padding = first & 0x20 ? (data.at(-1) ?? 0) : 0;
  return {
    sequence: data.readUInt16BE(2),
    timestamp: data.readUInt32BE(4),
    marker: second >= 128,
    payload: Buffer.from(data.subarray(start, data.length - padding)),
  };
}
