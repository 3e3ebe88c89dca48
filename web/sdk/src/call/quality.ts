// How good a connection is: ours by what the browser measures, others' by what their nodes do.
import type { Quality } from "../generated/protocol.ts";
import type { CallStatistics } from "./statistics.ts";

/** How good the connection is, in words that a page can show. */
export type ConnectionQuality = "unknown" | "good" | "fair" | "poor";

/** Judges by the round trip and by the loss since the last look. */
export function qualityOf(now: CallStatistics, before: CallStatistics): ConnectionQuality {
  if (now.roundTrip === null) return "unknown";
  const lost = sum(now, "packetsLost") - sum(before, "packetsLost");
  const got = sum(now, "packets") - sum(before, "packets");
  const loss = lost > 0 && got >= 0 ? lost / (lost + got) : 0;
  return judge(now.roundTrip, loss);
}

/** Judges somebody's connection by what their node has measured. */
export function qualityOfReport({ roundTripMs, up, down }: Quality): ConnectionQuality {
  return roundTripMs === null ? "unknown" : judge(roundTripMs, Math.max(up.loss, down.loss));
}

function judge(roundTrip: number, loss: number): ConnectionQuality {
  if (roundTrip > 400 || loss > 0.08) return "poor";
  if (roundTrip > 200 || loss > 0.02) return "fair";
  return "good";
}

function sum(statistics: CallStatistics, field: "packets" | "packetsLost"): number {
  return statistics.incoming.reduce((total, entry) => total + entry[field], 0);
}
