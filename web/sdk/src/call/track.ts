// Names of tracks, as keys of maps.
import type { ParticipantId, Source, TrackId } from "../generated/protocol.ts";

/** A {@link TrackId} as a string: equal tracks have equal keys. */
export type TrackKey = `${ParticipantId}/${Source}`;

export function trackKey({ participant, source }: TrackId): TrackKey {
  return `${participant}/${source}`;
}
