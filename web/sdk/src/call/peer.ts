// One peer connection: one offer, every m-line from the start, media by replaceTrack, slots by data channel.
import type {
  Attempt,
  Caption,
  CaptionRefusal,
  ClientMediaMessage,
  IceCredentials,
  NodeMediaMessage,
  Offer,
  ParticipantId,
  ParticipantQuality,
  Quality,
  Source,
  SourceDemand,
  TrackId,
} from "../generated/protocol.ts";
import { audioCodecs, receivingCodecs, sendingCodecs } from "./codecs.ts";
import { cameraEncodings, screenEncodings, type VideoEncoding } from "./encodings.ts";
import { type Change, Lifeline, type Traffic } from "./lifeline.ts";
import { withIceCredentials, withOpusWishes, withStereo } from "./sdp.ts";
import { type Shown, Slots } from "./slots.ts";
import { VideoSender } from "./video-sender.ts";

/** Most that a node sends of a room at once: the loudest. */
const MOST_HEARD = 5;
/** As many audio slots as video slots, but no more than this: what has one beside it is played in step with its sound. */
const MOST_AUDIO_SLOTS = 9;
const LOOK_EVERY_MS = 250;
/** A node that knows of dynacast says what is watched as soon as it can be heard. One that does not is sent every layer. */
const TOLD_WITHIN_MS = 2_000;
/** A page whose timers stood still for so long was asleep. */
const ASLEEP_MS = 1_500;
/** A node that lives answers within a round trip and so long: SCTP keeps the word on a lone packet for 200 ms at most. */
const STOPPED_AFTER_MS = 250;
/** And has no longer round trip than this to be taken into account: by then the room needs no word of ours. */
const LONGEST_ROUND_TRIP_MS = 400;
/** Between two words to the node, so that they are two packets: the second of two is acknowledged at once. */
const KNOCKS_APART_MS = 50;
/** How often the node hears that we live: each second, also by the timers of a hidden page, of which none is ever quite on time. */
const ALIVE_EVERY_MS = 900;

const SOURCES: readonly Source[] = ["microphone", "camera", "screen", "screenAudio"];

export interface PeerOptions {
  /** How many videos can be received at once. */
  videoSlots: number;
  iceServers: RTCIceServer[];
  video: VideoEncoding;
}

export interface PeerHandlers {
  /** ICE has found a way. */
  onPath(): void;
  /** Media can flow, for the first time or again. */
  onConnected(): void;
  /** Nothing comes any more: perhaps the device has changed its network. */
  onSilent(): void;
  /** Media is lost for good: another attempt is needed. */
  onLost(): void;
  /** The node listens: it can be told what to send. */
  onReady(): void;
  /** Other tracks flow in the video slots. */
  onShown(shown: Shown): void;
  /** Who speaks now, the loudest first. */
  onSpeakers(speakers: readonly ParticipantId[]): void;
  onQuality(quality: Quality): void;
  onCaption(caption: Caption): void;
  onCaptionRefused(reason: CaptionRefusal): void;
  onQualities(participants: readonly ParticipantQuality[]): void;
}

/** How many voices can be received at once. Most slots are silent, and cost nothing but their m-line. */
function audioSlots(videoSlots: number): number {
  return Math.min(Math.max(videoSlots, MOST_HEARD), MOST_AUDIO_SLOTS);
}

/** One attempt at media with the assigned node. It lives from the offer until it is closed, and never renegotiates. */
export class Peer {
  readonly attempt: Attempt;
  readonly #pc: RTCPeerConnection;
  readonly #video: VideoEncoding;
  readonly #transceivers: ReadonlyMap<Source, RTCRtpTransceiver>;
  readonly #videoSenders: ReadonlyMap<Source, VideoSender>;
  readonly #receivers: readonly RTCRtpTransceiver[];
  readonly #channel: RTCDataChannel;
  /** The track that each source was last asked to send. */
  readonly #wanted = new Map<Source, MediaStreamTrack | null>();
  readonly #offered: Promise<Offer>;
  readonly #lifeline = new Lifeline();
  #answer: string | null = null;
  #prepared: Offer | null = null;
  #slots = new Slots(new Map());
  #toldTimer: ReturnType<typeof setTimeout> | undefined;
  #lookTimer: ReturnType<typeof setInterval> | undefined;
  /** When the node was last told that we live. */
  #livedAt = 0;
  #closed = false;

  /** Starts to prepare the offer at once: it needs nothing of the network. */
  constructor(attempt: Attempt, options: PeerOptions, handlers: PeerHandlers) {
    this.attempt = attempt;
    this.#video = options.video;
    this.#pc = new RTCPeerConnection({ bundlePolicy: "max-bundle", iceServers: options.iceServers });
    this.#channel = this.#pc.createDataChannel("connect");
    this.#transceivers = new Map(SOURCES.map((source) => [source, this.#addSender(source)]));
    this.#videoSenders = new Map(
      (["camera", "screen"] as const).flatMap((source) => {
        const sender = this.#transceivers.get(source)?.sender;
        return sender === undefined ? [] : [[source, new VideoSender(sender, source === "camera")] as const];
      }),
    );
    this.#receivers = [
      ...Array.from({ length: audioSlots(options.videoSlots) }, () => this.#addReceiver("audio")),
      ...Array.from({ length: options.videoSlots }, () => this.#addReceiver("video")),
    ];
    this.#listen(handlers);
    this.#offered = this.#createOffer();
    // A failure surfaces where the offer is awaited.
    this.#offered.catch(() => {});
  }

  /** The incoming tracks of the audio slots. */
  get audioTracks(): MediaStreamTrack[] {
    return this.#receivers.map(({ receiver }) => receiver.track).filter(({ kind }) => kind === "audio");
  }

  /** The only offer. It does not wait for candidates: the node is ICE lite and learns ours from our checks. */
  get offer(): Promise<Offer> {
    return this.#offered;
  }

  /** The offer, once it is there. */
  get prepared(): Offer | null {
    return this.#prepared;
  }

  /** Both sides' words on their candidates so far. */
  get descriptions(): { readonly answer: string; readonly local: string } {
    return { answer: this.#answer ?? "", local: this.#pc.localDescription?.sdp ?? "" };
  }

  /** Whatever way is sought from now on, it is sought by these servers. */
  useServers(iceServers: RTCIceServer[]): void {
    if (!this.#closed) this.#pc.setConfiguration({ ...this.#pc.getConfiguration(), iceServers });
  }

  async answer(sdp: string): Promise<void> {
    if (this.#pc.signalingState !== "have-local-offer") return;
    this.#answer = withOpusWishes(sdp, this.#transceivers.get("screenAudio")?.mid ?? null);
    await this.#describe();
  }

  /** Seeks a new path to the node; returns what to tell it, or null if there is no session to keep. */
  async restartIce(): Promise<string | null> {
    if (this.#closed || this.#answer === null) return null;
    // An offer under way already is good for another try.
    if (this.#pc.signalingState === "stable") {
      this.#pc.restartIce();
      await this.#describeOffer();
    }
    return this.#pc.localDescription?.sdp ?? null;
  }

  /** The node's word on a restart: the answer that we have holds, with these credentials. */
  async iceRestarted(credentials: IceCredentials): Promise<void> {
    if (this.#answer === null || this.#pc.signalingState !== "have-local-offer") return;
    this.#answer = withIceCredentials(this.#answer, credentials);
    await this.#describe();
  }

  /** Sends another track of a source, or nothing: no negotiation. */
  async send(source: Source, track: MediaStreamTrack | null): Promise<void> {
    if (this.#closed) return;
    const video = this.#videoSenders.get(source);
    if (video !== undefined) return video.replace(track);
    const sender = this.#transceivers.get(source)?.sender;
    // By what was asked for last: the sender's own word is late while another replacement waits its turn.
    if (sender === undefined || this.#wanted.get(source) === track) return;
    this.#wanted.set(source, track);
    await sender.replaceTrack(track);
  }

  /** Tells the node; silently nothing while the channel is not open (`onReady` comes then). */
  tell(message: ClientMediaMessage): void {
    if (this.#channel.readyState === "open") this.#channel.send(JSON.stringify(message));
  }

  /** Whose media an incoming track carries now. */
  trackOf(mid: string): TrackId | undefined {
    return this.#slots.trackOf(mid);
  }

  /** Whose sound each audio slot carries now. */
  get voices(): ReadonlyMap<MediaStreamTrack, ParticipantId> {
    const voices = new Map<MediaStreamTrack, ParticipantId>();
    for (const { mid, receiver } of this.#receivers) {
      const carried = this.#slots.trackOf(mid ?? "");
      if (receiver.track.kind === "audio" && carried !== undefined)
        voices.set(receiver.track, carried.participant);
    }
    return voices;
  }

  /** What is sent on an m-line. */
  sourceOf(mid: string): Source | undefined {
    return [...this.#transceivers].find(([, transceiver]) => transceiver.mid === mid)?.[0];
  }

  /**
   * Whether nothing comes, of all that came until just now. Where nothing came, that says nothing. In a quiet room a node has
   * nothing to send for a while: it is given something to answer.
   */
  async hasFallenSilent(): Promise<boolean> {
    if (!this.#lifeline.hasHeardWithin(2 * LOOK_EVERY_MS, performance.now())) return false;
    const before = await this.#pc.getStats();
    this.#sayAlive(performance.now());
    await after(KNOCKS_APART_MS);
    this.#sayAlive(performance.now());
    await after(STOPPED_AFTER_MS - KNOCKS_APART_MS + Math.min(roundTripOf(before), LONGEST_ROUND_TRIP_MS));
    return !this.#closed && trafficOf(await this.#pc.getStats()).received === trafficOf(before).received;
  }

  getStats(): Promise<RTCStatsReport> {
    return this.#pc.getStats();
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#lookTimer);
    clearTimeout(this.#toldTimer);
    this.#channel.onmessage = null;
    this.#channel.onopen = null;
    this.#channel.onclose = null;
    this.#pc.onconnectionstatechange = null;
    this.#pc.close();
  }

  async #describe(): Promise<void> {
    await this.#pc.setRemoteDescription({ type: "answer", sdp: this.#answer ?? "" });
    await Promise.all([...this.#videoSenders.values()].map((sender) => sender.answered()));
  }

  async #createOffer(): Promise<Offer> {
    const offered = await this.#describeOffer();
    this.#slots = new Slots(new Map(this.#receivers.map((slot) => [slot.mid ?? "", slot.receiver.track])));
    const sources = [...this.#transceivers].map(([source, { mid }]) => ({ mid: mid ?? "", source }));
    const sdp = this.#pc.localDescription?.sdp ?? offered;
    this.#prepared = { attempt: this.attempt, sdp, sources };
    return this.#prepared;
  }

  async #describeOffer(): Promise<string> {
    const sdp = withStereo((await this.#pc.createOffer()).sdp ?? "");
    await this.#pc.setLocalDescription({ type: "offer", sdp });
    return sdp;
  }

  #addSender(source: Source): RTCRtpTransceiver {
    const direction = "sendonly";
    if (source === "microphone" || source === "screenAudio") {
      return only(audioCodecs, this.#pc.addTransceiver("audio", { direction }), "audio");
    }
    const sendEncodings = source === "camera" ? cameraEncodings(this.#video) : screenEncodings(this.#video);
    const transceiver = this.#pc.addTransceiver("video", { direction, sendEncodings });
    return only((all) => sendingCodecs(this.#video.codec, all), transceiver, "video");
  }

  #addReceiver(kind: "audio" | "video"): RTCRtpTransceiver {
    const transceiver = this.#pc.addTransceiver(kind, { direction: "recvonly" });
    return only(kind === "video" ? receivingCodecs : audioCodecs, transceiver, kind);
  }

  #listen(handlers: PeerHandlers): void {
    this.#pc.onconnectionstatechange = () => {
      switch (this.#pc.connectionState) {
        case "connected":
          this.#look(handlers);
          return handlers.onConnected();
        case "disconnected":
          return handlers.onSilent();
        case "failed":
          return handlers.onLost();
      }
    };
    this.#pc.oniceconnectionstatechange = () => {
      if (this.#pc.iceConnectionState === "connected") handlers.onPath();
    };
    this.#channel.onopen = () => {
      this.#toldTimer = setTimeout(() => this.#each((sender) => sender.demandAll()), TOLD_WITHIN_MS);
      this.#sayAlive(performance.now());
      handlers.onReady();
    };
    // The node has closed it: long before ICE would notice.
    this.#channel.onclose = () => handlers.onLost();
    this.#channel.onmessage = ({ data }) => this.#receive(parse(data), handlers);
  }

  #receive(message: NodeMediaMessage | null, handlers: PeerHandlers): void {
    switch (message?.type) {
      case "slots":
        return handlers.onShown(this.#slots.assign(message.slots));
      case "speakers":
        return handlers.onSpeakers(message.speakers);
      case "demand":
        return this.#demanded(message.demand);
      case "quality":
        return handlers.onQuality(message.quality);
      case "caption":
        return handlers.onCaption(message);
      case "captionRefused":
        return handlers.onCaptionRefused(message.reason);
      case "qualities":
        return handlers.onQualities(message.participants);
    }
  }

  /** A source that is not named is one that the node has not seen yet. */
  #demanded(demand: readonly SourceDemand[]): void {
    clearTimeout(this.#toldTimer);
    this.#each((sender, source) =>
      sender.demand(demand.find((wanted) => wanted.source === source)?.layers ?? null),
    );
  }

  #each(change: (sender: VideoSender, source: Source) => Promise<void>): void {
    for (const [source, sender] of this.#videoSenders) {
      // It fails only on a connection that is over.
      change(sender, source).catch(() => {});
    }
  }

  /** Looks after the connection from now on. */
  #look(handlers: PeerHandlers): void {
    clearInterval(this.#lookTimer);
    let lastLook = performance.now();
    let lastMedia = 0;
    const changed = (change: Change | null) => {
      if (change === "silent") handlers.onSilent();
      if (change === "back") handlers.onConnected();
    };
    this.#lookTimer = setInterval(async () => {
      const now = performance.now();
      if (now - this.#livedAt >= ALIVE_EVERY_MS) this.#sayAlive(now);
      // What was measured before a sleep says nothing.
      if (now - lastLook > ASLEEP_MS) this.#lifeline.heard(now);
      lastLook = now;
      // Media that goes on is the cheapest sign of life: the rest is asked for only when there is none.
      const media = this.#newestMedia();
      if (media !== lastMedia) {
        lastMedia = media;
        return changed(this.#lifeline.heard(now));
      }
      const traffic = trafficOf(await this.#pc.getStats());
      if (!this.#closed) changed(this.#lifeline.read(performance.now(), traffic));
    }, LOOK_EVERY_MS);
  }

  /** Who is muted and alone sends nothing else that the node could hear. */
  #sayAlive(now: number): void {
    this.#livedAt = now;
    this.tell({ type: "alive" });
  }

  /** When the newest packet of anybody's media was played. */
  #newestMedia(): number {
    const times = this.#receivers.flatMap(({ receiver }) =>
      receiver.getSynchronizationSources().map(({ timestamp }) => timestamp),
    );
    return Math.max(0, ...times);
  }
}

function only(
  choose: (all: readonly RTCRtpCodec[]) => RTCRtpCodec[],
  transceiver: RTCRtpTransceiver,
  kind: "audio" | "video",
): RTCRtpTransceiver {
  const codecs = choose(RTCRtpReceiver.getCapabilities(kind)?.codecs ?? []);
  transceiver.setCodecPreferences(codecs);
  return transceiver;
}

/** Of all paths together: a restart of ICE adds one. */
function trafficOf(report: RTCStatsReport): Traffic {
  let sent = 0;
  let received = 0;
  for (const path of pathsOf(report)) {
    sent += path.bytesSent ?? 0;
    received += path.bytesReceived ?? 0;
  }
  return { sent, received };
}

/** How long the node is away, in milliseconds, by the longest path. */
function roundTripOf(report: RTCStatsReport): number {
  return 1_000 * Math.max(0, ...pathsOf(report).map((path) => path.currentRoundTripTime ?? 0));
}

function pathsOf(report: RTCStatsReport): RTCIceCandidatePairStats[] {
  const entries = [...(report as unknown as Iterable<[string, RTCIceCandidatePairStats]>)];
  return entries.map(([, entry]) => entry).filter(({ type }) => type === "candidate-pair");
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function parse(data: unknown): NodeMediaMessage | null {
  try {
    return JSON.parse(String(data)) as NodeMediaMessage;
  } catch {
    return null;
  }
}
