// How good a connection is: everybody's, the own too, by what the node at its other end has measured of both its directions.
import type { Quality } from "../generated/protocol.ts";
import type { MediaStatus } from "./media-session.ts";

/** How good the connection is, in words that a page can show. */
export type ConnectionQuality = "unknown" | "good" | "fair" | "poor";

/** What is known of the own connection. */
export interface OwnConnection {
  readonly media: MediaStatus;
  readonly report: Quality | null;
}

/**
 * Judges the own connection as that of others. What the browser misses of forwarded streams is no ground: others may have lost
 * it on their way up. Until the node has told, the round trip that the browser measures has to do.
 */
export function qualityOf({ media, report }: OwnConnection, roundTrip: number | null): ConnectionQuality {
  if (media.name !== "connected") return "unknown";
  if (report === null) return judge(roundTrip, 0);
  return qualityOfReport({ ...report, roundTripMs: report.roundTripMs ?? roundTrip });
}

/** Judges somebody's connection by what their node has measured. */
export function qualityOfReport({ roundTripMs, up, down }: Quality): ConnectionQuality {
  return judge(roundTripMs, Math.max(up.loss, down.loss));
}

function judge(roundTrip: number | null, loss: number): ConnectionQuality {
  if (roundTrip === null) return "unknown";
  if (roundTrip > 400 || loss > 0.08) return "poor";
  if (roundTrip > 200 || loss > 0.02) return "fair";
  return "good";
}
