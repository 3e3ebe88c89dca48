// Which codec the own video is sent in: the preferred one if everybody in the room can play it, else one that they can.
import type { Codec, Participant, ParticipantId } from "../generated/protocol.ts";
import { VIDEO, type VideoCodec, videoCodecsAmong } from "./codecs.ts";

/** Who could not play the preferred codec has left for so long before it is taken up again: a change costs a new session. */
const BACK_AFTER_MS = 30_000;
/** One newcomer makes many change: over so much time for each person here they do so, and not all at once. */
const SPREAD_EACH_MS = 20;
const LONGEST_SPREAD_MS = 5_000;

/** What is known of somebody's browser. */
type Viewer = Pick<Participant, "id" | "decodes">;
type Publisher = Viewer & Pick<Participant, "publishing">;

/** The video codecs that this browser plays. */
export function decodedHere(): VideoCodec[] {
  return videoCodecsAmong(globalThis.RTCRtpReceiver?.getCapabilities("video")?.codecs ?? []);
}

/** The video codecs that this browser can send. */
function encodedHere(): VideoCodec[] {
  return videoCodecsAmong(globalThis.RTCRtpSender?.getCapabilities("video")?.codecs ?? []);
}

/** Whether somebody who plays only these codecs is sent another. Who has not said may play anything. */
export function cannotPlay(decodes: readonly Codec[], codec: Codec | null): boolean {
  return codec !== null && decodes.length > 0 && !decodes.includes(codec);
}

/** Those who cannot see what `you` send, whichever codec it were sent in. */
export function unseenBy(people: readonly Publisher[], you: ParticipantId | null): readonly ParticipantId[] {
  const codec = people.find(({ id }) => id === you)?.publishing.codec;
  const sent = VIDEO.find((name) => name === codec);
  if (sent === undefined) return [];
  const others = people.filter(({ id }) => id !== you);
  const best = codecFor(others, sent);
  return others.filter(({ decodes }) => cannotPlay(decodes, best)).map(({ id }) => id);
}

/** Follows who is there. */
export class CodecChoice {
  readonly #preferred: VideoCodec;
  readonly #change: (codec: VideoCodec) => void;
  readonly #random: () => number;
  #codec: VideoCodec;
  #wanted: VideoCodec;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Somebody sees nothing until the timer has run out. */
  #isUrgent = false;

  constructor(preferred: VideoCodec, change: (codec: VideoCodec) => void, random = Math.random) {
    this.#preferred = preferred;
    this.#change = change;
    this.#random = random;
    this.#codec = codecFor([], preferred);
    this.#wanted = this.#codec;
  }

  /** The codec that is to be sent now. */
  get codec(): VideoCodec {
    return this.#codec;
  }

  /** Chooses for these other people: soon where somebody would see nothing, in a while where it only is better. */
  look(others: readonly Viewer[]): void {
    this.#wanted = codecFor(others, this.#preferred);
    if (this.#wanted === this.#codec) return this.pause();
    const isUrgent = viewers(others, this.#wanted) > viewers(others, this.#codec);
    // What is due already stays due.
    if (this.#timer !== undefined && (this.#isUrgent || !isUrgent)) return;
    this.pause();
    this.#isUrgent = isUrgent;
    const spread = this.#random() * Math.min(others.length * SPREAD_EACH_MS, LONGEST_SPREAD_MS);
    this.#timer = setTimeout(() => this.#turn(), (isUrgent ? 0 : BACK_AFTER_MS) + spread);
  }

  /** The room cannot be told of a change now. */
  pause(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #turn(): void {
    this.pause();
    this.#codec = this.#wanted;
    this.#change(this.#codec);
  }
}

/** Of what can be sent here, what most can play, and of that the preferred one. */
function codecFor(others: readonly Viewer[], preferred: VideoCodec): VideoCodec {
  const encoded = encodedHere();
  const known = [...new Set([preferred, ...VIDEO])].filter(
    (codec) => encoded.length === 0 || encoded.includes(codec),
  );
  const most = Math.max(...known.map((codec) => viewers(others, codec)));
  return known.find((codec) => viewers(others, codec) === most) ?? preferred;
}

function viewers(others: readonly Viewer[], codec: VideoCodec): number {
  return others.filter(({ decodes }) => !cannotPlay(decodes, codec)).length;
}
