// Whose media flows in which receive slot. One stream per shown track, and the same one as long as the slot is.
import type { SlotAssignment, TrackId } from "../generated/protocol.ts";
import { type TrackKey, trackKey } from "./track.ts";

export type Streams = ReadonlyMap<TrackKey, MediaStream>;

/** What the receive slots carry. */
export interface Shown {
  readonly streams: Streams;
  /** Tracks that the path to here cannot carry now: their last picture stands still. */
  readonly paused: ReadonlySet<TrackKey>;
}

/** The receive slots of one peer connection. */
export class Slots {
  readonly #receivers: ReadonlyMap<string, MediaStreamTrack>;
  readonly #toStream: (track: MediaStreamTrack) => MediaStream;
  #assigned: ReadonlyMap<string, TrackId> = new Map();
  /** The video of each track that a slot carries. */
  #streams: Streams = new Map();

  /** `receivers` are the incoming tracks by the `mid` of their m-line. */
  constructor(
    receivers: ReadonlyMap<string, MediaStreamTrack>,
    toStream: (track: MediaStreamTrack) => MediaStream = (track) => new MediaStream([track]),
  ) {
    this.#receivers = receivers;
    this.#toStream = toStream;
  }

  /** The track in a slot now. */
  trackOf(mid: string): TrackId | undefined {
    return this.#assigned.get(mid);
  }

  /** Takes the node's word on what every slot carries. Slots that we do not have are ignored. */
  assign(slots: readonly SlotAssignment[]): Shown {
    const assigned = new Map<string, TrackId>();
    const streams = new Map<TrackKey, MediaStream>();
    const pausedTracks = new Set<TrackKey>();
    for (const { mid, track, paused } of slots) {
      const receiver = this.#receivers.get(mid);
      if (receiver === undefined || track === null) continue;
      assigned.set(mid, track);
      if (receiver.kind !== "video") continue;
      const key = trackKey(track);
      if (paused) pausedTracks.add(key);
      streams.set(key, this.#known(key, receiver) ?? this.#toStream(receiver));
    }
    this.#assigned = assigned;
    this.#streams = streams;
    return { streams, paused: pausedTracks };
  }

  /** The stream shown already, so that a video element is not restarted when another slot changes. */
  #known(key: TrackKey, receiver: MediaStreamTrack): MediaStream | undefined {
    const stream = this.#streams.get(key);
    return stream?.getVideoTracks()[0] === receiver ? stream : undefined;
  }
}
