// Media with the assigned node over the life of a call: one peer connection after another, the same tracks in each.
import type {
  Attempt,
  Caption,
  CaptionRefusal,
  ClientMediaMessage,
  ClientMessage,
  IceCredentials,
  Offer,
  ParticipantId,
  ParticipantQuality,
  Quality,
  Source,
  Tile,
} from "../generated/protocol.ts";
import { AudioOutput } from "./audio-output.ts";
import type { VideoCodec } from "./codecs.ts";
import { STANDARD_ENCODING, type VideoEncoding } from "./encodings.ts";
import { Peer } from "./peer.ts";
import type { Shown } from "./slots.ts";
import { type CallStatistics, NO_STATISTICS, statisticsOf } from "./statistics.ts";
import { View } from "./view.ts";
import { type TriedWay, triedWays } from "./ways.ts";

/**
 * After a reported loss the room says when to offer anew; if it does not within this time, we do it unasked. When one attempt
 * after the other finds no way, the pause between them is twice as long each time, and ours alone to end.
 */
const RENEGOTIATE_WITHIN_MS = 5_000;
const LONGEST_PAUSE_MS = 60_000;

/** Who has an answer and no media after this time is told so. ICE goes on: it takes longer to give up. */
const BLOCKED_AFTER_MS = 7_000;

/** A way to the node that is sought anew is found within this time, or not at all: then a new session is offered. */
const RESTART_WITHIN_MS = 2_000;

/** A prepared offer older than this is made anew: the device may have changed its network since. */
const PREPARED_FOR_MS = 60_000;

/** A longer SDP, in characters, does not travel with the join: the HTTP API takes 64 KiB in all. */
const LONGEST_WITH_JOIN = 48_000;

/** The sources of video. */
const VIDEO: readonly Source[] = ["camera", "screen"];

export type MediaStatus =
  | { readonly name: "idle" | "connecting" | "connected" | "reconnecting" }
  /** The browser could not make an offer. */
  | { readonly name: "failed" }
  /** No way to the node lets media through. It is tried again by itself, after ever longer pauses. */
  | { readonly name: "blocked"; readonly tried: readonly TriedWay[] };

export interface MediaSessionHandlers {
  send(message: ClientMessage): boolean;
  onStatus(status: MediaStatus): void;
  onShown(shown: Shown): void;
  onSpeakers(speakers: readonly ParticipantId[]): void;
  onQuality(quality: Quality): void;
  onQualities(participants: readonly ParticipantQuality[]): void;
  onCaption(caption: Caption): void;
  onCaptionRefused(reason: CaptionRefusal): void;
  /** The node can be told something, and knows nothing yet. */
  onReady(): void;
  /** A step of an attempt is done, for measurements. */
  onStep(step: "offer" | "answer" | "described" | "ice" | "connected" | "ready" | "slots"): void;
}

/** The media of one participant. */
export class MediaSession {
  /** What the page shows: tiles report to it. */
  readonly view: View;
  readonly #videoSlots: number;
  #video: VideoEncoding;
  readonly #handlers: MediaSessionHandlers;
  readonly #audio: AudioOutput;
  readonly #tracks = new Map<Source, MediaStreamTrack | null>();
  #attempt: Attempt = 0;
  #peer: Peer | null = null;
  #answered = false;
  /** What the peer was made to send video in. */
  #peerCodec: VideoCodec | null = null;
  /** Null while they are not known. */
  #iceServers: RTCIceServer[] | null = null;
  #preparedAt = 0;
  #withJoin: Attempt | null = null;
  /** Offers can leave over the signaling. */
  #signaled = false;
  #everConnected = false;
  /** The newest peer that was connected. */
  #connectedPeer: Peer | null = null;
  /** It seeks another way to its node. */
  #restarting = false;
  /** Attempts in a row that found no way to the node. */
  #failures = 0;
  #blocked = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #doubt: ReturnType<typeof setTimeout> | undefined;

  constructor(
    videoSlots: number,
    handlers: MediaSessionHandlers,
    video = STANDARD_ENCODING,
    audio = new AudioOutput(),
  ) {
    this.#videoSlots = videoSlots;
    this.#audio = audio;
    this.#video = video;
    this.#handlers = handlers;
    this.view = new View((tiles) => this.#tellView(tiles));
  }

  /** The latest attempt. */
  get attempt(): Attempt {
    return this.#attempt;
  }

  /** Goes on after the attempts of a page before this one. */
  follow(attempt: Attempt): void {
    if (attempt <= this.#attempt) return;
    this.#drop();
    this.#attempt = attempt;
  }

  /** Prepares an offer while its way to the node is still being found. */
  prepare(): void {
    const stale = performance.now() - this.#preparedAt > PREPARED_FOR_MS;
    if (stale) this.#drop();
    this.#peer ??= this.#createPeer();
  }

  /** Connections from now on use these servers. One that is up stays, and takes them for its next way; one that is not is made anew. */
  useServers(iceServers: RTCIceServer[]): void {
    const before = this.#iceServers ?? [];
    this.#iceServers = iceServers;
    if (this.#peer === null || JSON.stringify(iceServers) === JSON.stringify(before)) return;
    // Each answer has credentials of its own, for the same servers: an offer that is under way need not be made anew for them.
    const same = addresses(iceServers) === addresses(before);
    if (same || this.#peer === this.#connectedPeer) return this.#peer.useServers(iceServers);
    this.#drop();
    this.prepare();
    if (this.#signaled) void this.offer();
  }

  /**
   * Video is sent in this codec from now on. With it go other layers, which no browser can change under way: so it takes a new
   * session, as soon as there is video to send.
   */
  encodeIn(codec: VideoCodec): void {
    this.#video = { ...this.#video, codec };
    this.#recode();
  }

  /** The prepared offer, if it can travel with the join: then it counts as sent. */
  takeOffer(): Offer | null {
    const offer = this.#peer?.prepared ?? null;
    if (offer === null || offer.sdp.length > LONGEST_WITH_JOIN) return null;
    this.#withJoin = offer.attempt;
    this.#seek();
    this.#handlers.onStep("offer");
    return offer;
  }

  /** Offers over the newly opened signaling what did not travel with the join. */
  async offerFirst(): Promise<void> {
    this.#signaled = true;
    if (this.#peer === null || this.#peer.attempt !== this.#withJoin) await this.offer();
  }

  /** Offers over the open signaling: the prepared connection, or a new one. */
  async offer(): Promise<void> {
    this.#peer ??= this.#createPeer();
    const peer = this.#peer;
    this.#seek();
    try {
      const offer = await peer.offer;
      if (this.#peer !== peer) return;
      this.#handlers.send({ type: "offer", ...offer });
      this.#handlers.onStep("offer");
    } catch {
      if (this.#peer === peer) this.#handlers.onStatus({ name: "failed" });
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
      if (peer !== this.#peer || peer === this.#connectedPeer) return;
      clearTimeout(this.#doubt);
      this.#doubt = setTimeout(() => this.#block(peer), BLOCKED_AFTER_MS);
    } catch {
      this.#reportLoss(peer);
    }
  }

  /** The attempt is over: offers anew, with the same tracks, unless a newer one is under way. */
  async renegotiate(attempt: Attempt): Promise<void> {
    if (this.#peer !== null && this.#peer.attempt > attempt) return;
    // Nothing is gained by hurry where nothing gets through.
    if (this.#failures > 1 && this.#timer !== undefined) return;
    await this.restart();
  }

  /** Tries at once, and as if for the first time: somebody asks for it, or the network is another one. */
  async retry(): Promise<void> {
    if (!this.#blocked) return;
    this.#failures = 0;
    this.#blocked = false;
    await this.restart();
  }

  /** Offers anew in any case. */
  async restart(): Promise<void> {
    this.#drop();
    await this.offer();
  }

  /** The signaling was interrupted: an offer without an answer may be lost. Offering the same again does no harm. */
  async resume(): Promise<void> {
    if (!this.#answered) return this.offer();
    if (this.#restarting && this.#peer !== null) await this.#restartIce(this.#peer);
  }

  /** The room has lost its node: if nothing comes from it any more, it is gone, and nobody has to wait for it. */
  async check(attempt: Attempt): Promise<void> {
    const peer = this.#peer;
    if (peer === null || peer.attempt !== attempt || peer !== this.#connectedPeer) return;
    const silent = await peer.hasFallenSilent();
    if (silent && this.#peer === peer) this.#handlers.send({ type: "noMedia", attempt });
  }

  /** The node's word on a restart of ICE. */
  async iceRestarted(attempt: Attempt, credentials: IceCredentials): Promise<void> {
    // If it fails, the time for it runs out.
    if (this.#peer?.attempt === attempt) await this.#peer.iceRestarted(credentials).catch(() => {});
  }

  /** Sends this track of a source from now on, through every connection to come. */
  async send(source: Source, track: MediaStreamTrack | null): Promise<void> {
    this.#tracks.set(source, track);
    this.#recode();
    await this.#peer?.send(source, track).catch(() => {});
  }

  async statistics(): Promise<CallStatistics> {
    const peer = this.#peer;
    if (peer === null) return NO_STATISTICS;
    return statisticsOf(await peer.getStats(), peer);
  }

  /** Tells the node in which share of the time, 0 to 1, pictures have stood still here. */
  reportPlayback(frozen: number): void {
    this.#peer?.tell({ type: "playback", frozen });
  }

  end(): void {
    this.view.end();
    this.#drop();
    this.#audio.end();
    this.#everConnected = false;
    this.#signaled = false;
    this.#failures = 0;
    this.#blocked = false;
    this.#handlers.onStatus({ name: "idle" });
  }

  #recode(): void {
    const { codec } = this.#video;
    const sends = VIDEO.some((source) => (this.#tracks.get(source) ?? null) !== null);
    if (this.#peer === null || !sends || codec === this.#peerCodec) return;
    if (this.#signaled) return void this.restart();
    this.#drop();
    this.prepare();
  }

  #createPeer(): Peer {
    this.#attempt += 1;
    this.#answered = false;
    this.#peerCodec = this.#video.codec;
    this.#preparedAt = performance.now();
    const options = {
      videoSlots: this.#videoSlots,
      iceServers: this.#iceServers ?? [],
      video: this.#video,
    };
    const isCurrent = () => this.#peer === peer;
    const peer: Peer = new Peer(this.#attempt, options, {
      onPath: () => isCurrent() && this.#handlers.onStep("ice"),
      onConnected: () => isCurrent() && this.#connected(peer),
      onSilent: () => isCurrent() && this.#seekPath(peer),
      onLost: () => isCurrent() && this.#lose(peer),
      onReady: () => {
        if (!isCurrent()) return;
        this.#handlers.onStep("ready");
        this.view.tellAll();
        this.#handlers.onReady();
      },
      onShown: (shown) => {
        if (!isCurrent()) return;
        this.#handlers.onStep("slots");
        this.#audio.carry(peer.voices);
        this.#handlers.onShown(shown);
      },
      onSpeakers: (speakers) => isCurrent() && this.#handlers.onSpeakers(speakers),
      onQuality: (quality) => isCurrent() && this.#handlers.onQuality(quality),
      onCaption: (caption) => isCurrent() && this.#handlers.onCaption(caption),
      onCaptionRefused: (reason) => isCurrent() && this.#handlers.onCaptionRefused(reason),
      onQualities: (participants) => isCurrent() && this.#handlers.onQualities(participants),
    });
    for (const [source, track] of this.#tracks) void peer.send(source, track).catch(() => {});
    return peer;
  }

  #connected(peer: Peer): void {
    this.#clearTimers();
    this.#failures = 0;
    this.#blocked = false;
    this.#connectedPeer = peer;
    this.#restarting = false;
    this.#audio.play(peer.audioTracks);
    this.#everConnected = true;
    this.#handlers.onStep("connected");
    this.#handlers.onStatus({ name: "connected" });
  }

  /** Nothing comes any more: seeks another way to the same session, which costs less than a new one. */
  #seekPath(peer: Peer): void {
    if (peer !== this.#connectedPeer || this.#restarting) return;
    this.#restarting = true;
    this.#handlers.onStatus({ name: "reconnecting" });
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#reportLoss(peer), RESTART_WITHIN_MS);
    void this.#restartIce(peer);
  }

  async #restartIce(peer: Peer): Promise<void> {
    const sdp = await peer.restartIce().catch(() => null);
    if (sdp !== null && this.#peer === peer) {
      this.#handlers.send({ type: "restartIce", attempt: peer.attempt, sdp });
    }
  }

  /** ICE has given up. */
  #lose(peer: Peer): void {
    if (peer !== this.#connectedPeer) this.#block(peer);
    this.#reportLoss(peer);
  }

  #reportLoss(peer: Peer): void {
    this.#handlers.send({ type: "mediaFailed", attempt: peer.attempt });
    this.#clearTimers();
    // What has worked is worth another try at once.
    if (peer === this.#connectedPeer) return void this.restart();
    this.#failures += 1;
    const pause = Math.min(RENEGOTIATE_WITHIN_MS * 2 ** (this.#failures - 1), LONGEST_PAUSE_MS);
    this.#timer = setTimeout(() => void this.restart(), pause);
  }

  /** A connection is on its way: others need to know only that, as long as it may come to something. */
  #seek(): void {
    if (this.#blocked) return;
    this.#handlers.onStatus({ name: this.#everConnected ? "reconnecting" : "connecting" });
  }

  /** Nothing gets through, as far as can be told. */
  #block(peer: Peer): void {
    this.#blocked = true;
    const tried = triedWays({ ...peer.descriptions, servers: this.#iceServers });
    this.#handlers.onStatus({ name: "blocked", tried });
  }

  #drop(): void {
    this.#clearTimers();
    this.#restarting = false;
    this.#peer?.close();
    this.#peer = null;
  }

  #clearTimers(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#doubt);
    this.#timer = undefined;
  }

  /** Tells the node something; nothing where there is none now. */
  tell(message: ClientMediaMessage): void {
    this.#peer?.tell(message);
  }

  #tellView(tiles: Tile[]): void {
    this.tell({ type: "view", tiles });
  }
}

/** Where servers are, whatever they want to be shown. */
function addresses(servers: readonly RTCIceServer[]): string {
  return JSON.stringify(servers.map(({ urls }) => urls));
}
