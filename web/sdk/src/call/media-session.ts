// Media with the assigned node over the life of a call: one peer connection after another, the same tracks in each.
import type {
  Attempt,
  ClientMessage,
  Offer,
  ParticipantId,
  Quality,
  Source,
  Tile,
} from "../generated/protocol.ts";
import { AudioOutput } from "./audio-output.ts";
import { STANDARD_ENCODING, type VideoEncoding } from "./encodings.ts";
import { Peer } from "./peer.ts";
import type { Shown } from "./slots.ts";
import { type CallStatistics, NO_STATISTICS, statisticsOf } from "./statistics.ts";
import { View } from "./view.ts";

/** After a reported loss the room says when to offer anew; if it does not within this time, we do it unasked. */
const RENEGOTIATE_WITHIN_MS = 5_000;

/** Silence of the node after which it is left. Each time that proves hasty, if it does, the next takes twice as long. */
const SILENT_AFTER_MS = 1_000;
const SILENT_AFTER_LONGEST_MS = 8_000;
/** A connection that has lasted so long clears the record. */
const STEADY_MS = 60_000;

/** A prepared offer older than this is made anew: the device may have changed its network since. */
const PREPARED_FOR_MS = 60_000;

/** A longer SDP, in characters, does not travel with the join: the HTTP API takes 64 KiB in all. */
const LONGEST_WITH_JOIN = 48_000;

export type MediaStatus = "idle" | "connecting" | "connected" | "reconnecting" | "failed";

export interface MediaSessionHandlers {
  send(message: ClientMessage): boolean;
  onStatus(status: MediaStatus): void;
  onShown(shown: Shown): void;
  onSpeakers(speakers: readonly ParticipantId[]): void;
  onQuality(quality: Quality): void;
  /** A step of an attempt is done, for measurements. */
  onStep(step: "offer" | "answer" | "described" | "connected" | "ready" | "slots"): void;
}

/** The media of one participant. */
export class MediaSession {
  /** What the page shows: tiles report to it. */
  readonly view: View;
  readonly #videoSlots: number;
  readonly #video: VideoEncoding;
  readonly #handlers: MediaSessionHandlers;
  readonly #audio = new AudioOutput();
  readonly #tracks = new Map<Source, MediaStreamTrack | null>();
  #attempt: Attempt = 0;
  #peer: Peer | null = null;
  #answered = false;
  #iceServers: RTCIceServer[] = [];
  #preparedAt = 0;
  #withJoin: Attempt | null = null;
  #everConnected = false;
  /** The newest peer that was connected. */
  #connectedPeer: Peer | null = null;
  #connectedAt = 0;
  #silentAfterMs = SILENT_AFTER_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(videoSlots: number, handlers: MediaSessionHandlers, video = STANDARD_ENCODING) {
    this.#videoSlots = videoSlots;
    this.#video = video;
    this.#handlers = handlers;
    this.view = new View((tiles) => this.#tellView(tiles));
  }

  /** Prepares an offer while its way to the node is still being found. */
  prepare(iceServers = this.#iceServers): void {
    const stale = performance.now() - this.#preparedAt > PREPARED_FOR_MS;
    const otherServers = JSON.stringify(iceServers) !== JSON.stringify(this.#iceServers);
    this.#iceServers = iceServers;
    if (stale || otherServers) this.#drop();
    this.#peer ??= this.#createPeer();
  }

  /** The prepared offer, if it can travel with the join: then it counts as sent. */
  takeOffer(): Offer | null {
    const offer = this.#peer?.prepared ?? null;
    if (offer === null || offer.sdp.length > LONGEST_WITH_JOIN) return null;
    this.#withJoin = offer.attempt;
    this.#handlers.onStatus("connecting");
    this.#handlers.onStep("offer");
    return offer;
  }

  /** Offers over the newly opened signaling what did not travel with the join. */
  async offerFirst(): Promise<void> {
    if (this.#peer === null || this.#peer.attempt !== this.#withJoin) await this.offer();
  }

  /** Offers over the open signaling: the prepared connection, or a new one. */
  async offer(): Promise<void> {
    this.#peer ??= this.#createPeer();
    const peer = this.#peer;
    this.#handlers.onStatus(this.#everConnected ? "reconnecting" : "connecting");
    try {
      const offer = await peer.offer;
      if (this.#peer !== peer) return;
      this.#handlers.send({ type: "offer", ...offer });
      this.#handlers.onStep("offer");
    } catch {
      if (this.#peer === peer) this.#handlers.onStatus("failed");
    }
  }

  /** The node's answer; one to an older attempt is void. */
  async answer(attempt: Attempt, sdp: string): Promise<void> {
    const peer = this.#peer;
    if (peer?.attempt !== attempt) return;
    this.#answered = true;
    this.#handlers.onStep("answer");
    try {
      await peer.answer(sdp);
      this.#handlers.onStep("described");
    } catch {
      this.#reportLoss(peer);
    }
  }

  /** The attempt is over: offers anew, with the same tracks, unless a newer one is under way. */
  async renegotiate(attempt: Attempt): Promise<void> {
    if (this.#peer !== null && this.#peer.attempt > attempt) return;
    await this.restart();
  }

  /** Offers anew in any case. */
  async restart(): Promise<void> {
    this.#drop();
    await this.offer();
  }

  /** The signaling was interrupted: an offer without an answer may be lost. Offering the same again does no harm. */
  async resume(): Promise<void> {
    if (!this.#answered) await this.offer();
  }

  /** Sends this track of a source from now on, through every connection to come. */
  async send(source: Source, track: MediaStreamTrack | null): Promise<void> {
    this.#tracks.set(source, track);
    await this.#peer?.send(source, track).catch(() => {});
  }

  async statistics(): Promise<CallStatistics> {
    const peer = this.#peer;
    if (peer === null) return NO_STATISTICS;
    return statisticsOf(await peer.getStats(), peer);
  }

  end(): void {
    this.view.end();
    this.#drop();
    this.#audio.end();
    this.#everConnected = false;
    this.#silentAfterMs = SILENT_AFTER_MS;
    this.#handlers.onStatus("idle");
  }

  #createPeer(): Peer {
    this.#attempt += 1;
    this.#answered = false;
    this.#preparedAt = performance.now();
    const options = {
      videoSlots: this.#videoSlots,
      iceServers: this.#iceServers,
      video: this.#video,
      silentAfterMs: this.#silentAfterMs,
    };
    const isCurrent = () => this.#peer === peer;
    const peer: Peer = new Peer(this.#attempt, options, {
      onConnected: () => isCurrent() && this.#connected(peer),
      onLost: () => isCurrent() && this.#reportLoss(peer),
      onReady: () => {
        if (!isCurrent()) return;
        this.#handlers.onStep("ready");
        this.view.tellAll();
      },
      onShown: (shown) => {
        if (!isCurrent()) return;
        this.#handlers.onStep("slots");
        this.#handlers.onShown(shown);
      },
      onSpeakers: (speakers) => isCurrent() && this.#handlers.onSpeakers(speakers),
      onQuality: (quality) => isCurrent() && this.#handlers.onQuality(quality),
    });
    for (const [source, track] of this.#tracks) void peer.send(source, track).catch(() => {});
    return peer;
  }

  #connected(peer: Peer): void {
    clearTimeout(this.#timer);
    this.#connectedPeer = peer;
    this.#connectedAt = performance.now();
    this.#audio.play(peer.audioTracks);
    this.#everConnected = true;
    this.#handlers.onStep("connected");
    this.#handlers.onStatus("connected");
  }

  #reportLoss(peer: Peer): void {
    this.#handlers.onStatus("reconnecting");
    this.#handlers.send({ type: "mediaFailed", attempt: peer.attempt });
    clearTimeout(this.#timer);
    if (peer === this.#connectedPeer) {
      // What has worked is worth another try at once: the device has changed its network, or the node is away.
      const steady = performance.now() - this.#connectedAt > STEADY_MS;
      this.#silentAfterMs = steady
        ? SILENT_AFTER_MS
        : Math.min(2 * this.#silentAfterMs, SILENT_AFTER_LONGEST_MS);
      return void this.restart();
    }
    this.#timer = setTimeout(() => void this.renegotiate(peer.attempt), RENEGOTIATE_WITHIN_MS);
  }

  #drop(): void {
    clearTimeout(this.#timer);
    this.#peer?.close();
    this.#peer = null;
  }

  #tellView(tiles: Tile[]): void {
    this.#peer?.tell({ type: "view", tiles });
  }
}
