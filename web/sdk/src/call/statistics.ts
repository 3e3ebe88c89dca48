// What the browser measures of a call, by track instead of by stream.
import type { Source, TrackId } from "../generated/protocol.ts";

/** Totals since this slot's stream began, and levels now. */
export interface TrackStatistics {
  readonly track: TrackId;
  readonly mid: string;
  readonly bytes: number;
  readonly packets: number;
  readonly packetsLost: number;
  /** Interarrival jitter in milliseconds. */
  readonly jitter: number;
  /** Video: frames decoded by this slot, whoever's they were. */
  readonly framesDecoded: number;
  readonly frameWidth: number;
  readonly frameHeight: number;
  readonly framesPerSecond: number;
  /** Video: how often the picture stood still, and for how many seconds in all. */
  readonly freezes: number;
  readonly frozenSeconds: number;
  /** Such as `video/VP8`; empty until something has come. */
  readonly codec: string;
  /** Audio: loudness now, 0 to 1. */
  readonly audioLevel: number;
}

/** One layer of what is sent. */
export interface LayerStatistics {
  readonly source: Source;
  /** The layer's name; null for a source without layers. */
  readonly rid: string | null;
  /** Whether it is encoded now. */
  readonly active: boolean;
  readonly bytes: number;
  readonly packets: number;
  readonly framesEncoded: number;
  readonly frameWidth: number;
  readonly frameHeight: number;
  readonly framesPerSecond: number;
}

export interface CallStatistics {
  /** What arrives, in slots that carry a track now. */
  readonly incoming: readonly TrackStatistics[];
  readonly outgoing: readonly LayerStatistics[];
  /** Round trip to the media node in milliseconds; null before it is measured. */
  readonly roundTrip: number | null;
  /** Bytes and packets sent and received by the connection. */
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly packetsSent: number;
  readonly packetsReceived: number;
}

export const NO_STATISTICS: CallStatistics = {
  incoming: [],
  outgoing: [],
  roundTrip: null,
  bytesSent: 0,
  bytesReceived: 0,
  packetsSent: 0,
  packetsReceived: 0,
};

/** Whose media an m-line carries. */
export interface MidNames {
  trackOf(mid: string): TrackId | undefined;
  sourceOf(mid: string): Source | undefined;
}

/** The fields of the browser's entries that are looked at (W3C webrtc-stats). */
interface Entry extends RTCStats {
  mid?: string;
  codecId?: string;
  mimeType?: string;
  rid?: string;
  active?: boolean;
  bytesReceived?: number;
  bytesSent?: number;
  packetsSent?: number;
  packetsReceived?: number;
  packetsLost?: number;
  jitter?: number;
  framesDecoded?: number;
  framesEncoded?: number;
  frameWidth?: number;
  frameHeight?: number;
  framesPerSecond?: number;
  freezeCount?: number;
  totalFreezesDuration?: number;
  audioLevel?: number;
  currentRoundTripTime?: number;
  nominated?: boolean;
}

export function statisticsOf(report: Iterable<[string, unknown]>, names: MidNames): CallStatistics {
  const entries = [...report].map(([, entry]) => entry as Entry);
  const pair = entries.find(({ type, nominated }) => type === "candidate-pair" && nominated === true);
  const incoming = entries.flatMap((entry) => {
    const track =
      entry.type === "inbound-rtp" && entry.mid !== undefined ? names.trackOf(entry.mid) : undefined;
    const codec = entries.find(({ id }) => id !== undefined && id === entry.codecId)?.mimeType ?? "";
    return track === undefined ? [] : [incomingOf(entry, track, codec)];
  });
  const outgoing = entries.flatMap((entry) => {
    const source =
      entry.type === "outbound-rtp" && entry.mid !== undefined ? names.sourceOf(entry.mid) : undefined;
    return source === undefined ? [] : [outgoingOf(entry, source)];
  });
  return {
    incoming,
    outgoing,
    roundTrip: pair?.currentRoundTripTime === undefined ? null : pair.currentRoundTripTime * 1_000,
    bytesSent: pair?.bytesSent ?? 0,
    bytesReceived: pair?.bytesReceived ?? 0,
    packetsSent: pair?.packetsSent ?? 0,
    packetsReceived: pair?.packetsReceived ?? 0,
  };
}

function incomingOf(entry: Entry, track: TrackId, codec: string): TrackStatistics {
  return {
    track,
    codec,
    mid: entry.mid ?? "",
    bytes: entry.bytesReceived ?? 0,
    packets: entry.packetsReceived ?? 0,
    packetsLost: entry.packetsLost ?? 0,
    jitter: (entry.jitter ?? 0) * 1_000,
    framesDecoded: entry.framesDecoded ?? 0,
    frameWidth: entry.frameWidth ?? 0,
    frameHeight: entry.frameHeight ?? 0,
    framesPerSecond: entry.framesPerSecond ?? 0,
    freezes: entry.freezeCount ?? 0,
    frozenSeconds: entry.totalFreezesDuration ?? 0,
    audioLevel: entry.audioLevel ?? 0,
  };
}

function outgoingOf(entry: Entry, source: Source): LayerStatistics {
  return {
    source,
    rid: entry.rid ?? null,
    active: entry.active ?? true,
    bytes: entry.bytesSent ?? 0,
    packets: entry.packetsSent ?? 0,
    framesEncoded: entry.framesEncoded ?? 0,
    frameWidth: entry.frameWidth ?? 0,
    frameHeight: entry.frameHeight ?? 0,
    framesPerSecond: entry.framesPerSecond ?? 0,
  };
}
