// Frames of VP8 and Opus that can be told from each other byte by byte, in packets and out of them again.
import type { Kind, Packet } from "./stack.ts";

/** A frame each 33 ms, a packet of sound each 20 ms. */
export const INTERVAL_MS: Record<Kind, number> = { audio: 20, video: 33 };
const CLOCK_RATE: Record<Kind, number> = { audio: 48_000, video: 90_000 };
/** Whoever cannot be asked for a keyframe sends one now and then. */
const KEYFRAME_EACH = 15;
/** Payload bytes of a packet. */
const MAX_PAYLOAD = 1_000;
/** Where a frame's number stands: behind the header of a VP8 keyframe (RFC 6386, 9.1). */
const NUMBER_AT: Record<Kind, number> = { audio: 1, video: 10 };

/** The frame of this number, from this sender. */
export function frame(kind: Kind, sender: number, number: number): Buffer {
  const at = NUMBER_AT[kind];
  // Together less than any path is taken to carry: how it is shared is not what is looked at. One picture in five takes two packets.
  const data = Buffer.alloc(kind === "audio" ? 60 + (number % 40) : 300 + ((number * 397) % 900));
  if (kind === "audio") {
    // A stereo packet of 20 ms (RFC 6716, 3.1).
    data[0] = 0xfc;
  } else {
    const isKey = number % KEYFRAME_EACH === 0;
    const tag = (isKey ? 0 : 1) | (1 << 4) | ((data.length - at) << 5);
    data.writeUIntLE(tag, 0, 3);
    // The start code, then 640 × 360.
    if (isKey) Buffer.from([0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01]).copy(data, 3);
  }
  data.writeUInt32BE(number, at);
  data[at + 4] = sender;
  let noise = (number + 1) * 2_654_435_761 + sender;
  for (let i = at + 5; i < data.length; i++) {
    noise = (Math.imul(noise, 1_664_525) + 1_013_904_223) >>> 0;
    data[i] = noise >>> 24;
  }
  return data;
}

/** The number that stands in a frame. */
export function numberOf(kind: Kind, frame: Buffer): number {
  return frame.length >= NUMBER_AT[kind] + 5 ? frame.readUInt32BE(NUMBER_AT[kind]) : -1;
}

/** Puts frames into packets. */
export class Packetizer {
  private readonly kind: Kind;
  private readonly sender: number;
  /** Over the wrap-around of the numbers, in each test. */
  private sequence = 65_500;

  constructor(kind: Kind, sender: number) {
    this.kind = kind;
    this.sender = sender;
  }

  packets(number: number): Packet[] {
    const data = frame(this.kind, this.sender, number);
    const timestamp = Math.round((number * INTERVAL_MS[this.kind] * CLOCK_RATE[this.kind]) / 1_000) >>> 0;
    const parts: Packet[] = [];
    for (let at = 0; at < data.length; at += MAX_PAYLOAD) {
      const part = data.subarray(at, at + MAX_PAYLOAD);
      parts.push({
        sequence: this.sequence++ & 0xffff,
        timestamp,
        marker: this.kind === "audio" ? number === 0 : at + MAX_PAYLOAD >= data.length,
        payload: this.kind === "audio" ? part : Buffer.concat([descriptor(at === 0, number), part]),
      });
    }
    return parts;
  }
}

/** A VP8 payload descriptor with a picture id of 15 bits (RFC 7741, 4.2). */
function descriptor(starts: boolean, number: number): Buffer {
  const picture = number & 0x7fff;
  return Buffer.from([0x80 | (starts ? 0x10 : 0), 0x80, 0x80 | (picture >> 8), picture & 0xff]);
}

/** The whole frames among packets, in the order of their numbers in the stream. */
export function framesOf(kind: Kind, packets: Packet[]): Buffer[] {
  const ordered = inOrder(packets);
  if (kind === "audio") return ordered.map((packet) => packet.payload);
  const frames: Buffer[] = [];
  let parts: Buffer[] = [];
  let next: number | undefined;
  for (const packet of ordered) {
    const { starts, data } = withoutDescriptor(packet.payload);
    if (starts) parts = [];
    else if (packet.sequence !== next || parts.length === 0) {
      parts = [];
      next = undefined;
      continue;
    }
    parts.push(data);
    next = (packet.sequence + 1) & 0xffff;
    if (packet.marker) {
      frames.push(Buffer.concat(parts));
      parts = [];
    }
  }
  return frames;
}

/** Each packet once, in its place; numbers wrap around. */
function inOrder(packets: Packet[]): Packet[] {
  const placed = new Map<number, Packet>();
  let last: number | undefined;
  for (const packet of packets) {
    const near: number = last ?? packet.sequence;
    last = near + (((packet.sequence - near) << 16) >> 16);
    if (!placed.has(last)) placed.set(last, packet);
  }
  return [...placed].sort(([a], [b]) => a - b).map(([, packet]) => packet);
}

function withoutDescriptor(payload: Buffer): { starts: boolean; data: Buffer } {
  const first = payload[0] ?? 0;
  let at = 1;
  if (first & 0x80) {
    const present = payload[at++] ?? 0;
    if (present & 0x80) at += (payload[at] ?? 0) & 0x80 ? 2 : 1;
    if (present & 0x40) at += 1;
    if (present & 0x30) at += 1;
  }
  return { starts: (first & 0x17) === 0x10, data: payload.subarray(at) };
}
