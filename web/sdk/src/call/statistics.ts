// What the browser measures of a call, by track instead of by stream.
import type { TrackId } from "../generated/protocol.ts";

/** Totals since this slot's stream began, and levels now. */
export interface TrackStatistics {
  readonly track: TrackId;
  readonly mid: string;
  readonly bytes: number;
  readonly packets: number;
  readonly packetsLost: number;
  /** Video: frames decoded by this slot, whoever's they were. */
  readonly framesDecoded: number;
  readonly frameWidth: number;
  readonly frameHeight: number;
  readonly framesPerSecond: number;
  /** Audio: loudness now, 0 to 1. */
  readonly audioLevel: number;
}

export interface CallStatistics {
  /** What arrives, in slots that carry a track now. */
  readonly incoming: readonly TrackStatistics[];
  /** Round trip to the media node in milliseconds; null before it is measured. */
  readonly roundTrip: number | null;
  /** Bytes sent and received by the connection. */
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

export const NO_STATISTICS: CallStatistics = {
  incoming: [],
  roundTrip: null,
  bytesSent: 0,
  bytesReceived: 0,
};

/** How good the connection is, in words that a page can show. */
export type Quality = "unknown" | "good" | "fair" | "poor";

interface Entry extends RTCStats {
  mid?: string;
  bytesReceived?: number;
  bytesSent?: number;
  packetsReceived?: number;
  packetsLost?: number;
  framesDecoded?: number;
  frameWidth?: number;
  frameHeight?: number;
  framesPerSecond?: number;
  audioLevel?: number;
  currentRoundTripTime?: number;
  nominated?: boolean;
}

export function statisticsOf(
  report: Iterable<[string, unknown]>,
  trackOf: (mid: string) => TrackId | undefined,
): CallStatistics {
  const entries = [...report].map(([, entry]) => entry as Entry);
  const pair = entries.find(({ type, nominated }) => type === "candidate-pair" && nominated === true);
  const incoming = entries.flatMap((entry) => {
    const track = entry.type === "inbound-rtp" && entry.mid !== undefined ? trackOf(entry.mid) : undefined;
    return track === undefined ? [] : [incomingOf(entry, track)];
  });
  return {
    incoming,
    roundTrip: pair?.currentRoundTripTime === undefined ? null : pair.currentRoundTripTime * 1_000,
    bytesSent: pair?.bytesSent ?? 0,
    bytesReceived: pair?.bytesReceived ?? 0,
  };
}

/** Judges by the round trip and by the loss since the last look. */
export function qualityOf(now: CallStatistics, before: CallStatistics): Quality {
  if (now.roundTrip === null) return "unknown";
  const lost = sum(now, "packetsLost") - sum(before, "packetsLost");
  const got = sum(now, "packets") - sum(before, "packets");
  const loss = lost > 0 && got >= 0 ? lost / (lost + got) : 0;
  if (now.roundTrip > 400 || loss > 0.08) return "poor";
  if (now.roundTrip > 200 || loss > 0.02) return "fair";
  return "good";
}

function incomingOf(entry: Entry, track: TrackId): TrackStatistics {
  return {
    track,
    mid: entry.mid ?? "",
    bytes: entry.bytesReceived ?? 0,
    packets: entry.packetsReceived ?? 0,
    packetsLost: entry.packetsLost ?? 0,
    framesDecoded: entry.framesDecoded ?? 0,
    frameWidth: entry.frameWidth ?? 0,
    frameHeight: entry.frameHeight ?? 0,
    framesPerSecond: entry.framesPerSecond ?? 0,
    audioLevel: entry.audioLevel ?? 0,
  };
}

function sum(statistics: CallStatistics, field: "packets" | "packetsLost"): number {
  return statistics.incoming.reduce((total, entry) => total + entry[field], 0);
}
