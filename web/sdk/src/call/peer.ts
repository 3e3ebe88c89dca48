// One peer connection: one offer, every m-line from the start, media by replaceTrack, slots by data channel.
import type {
  Attempt,
  ClientMediaMessage,
  NodeMediaMessage,
  Offer,
  Source,
  TrackId,
} from "../generated/protocol.ts";
import { withOpusRepairAndSilence } from "./sdp.ts";
import { Slots, type Streams } from "./slots.ts";

/** Audio slots: the loudest of the room. */
const AUDIO_SLOTS = 3;
/** One camera layer, until the node estimates bandwidth. */
const CAMERA_BITRATE = 600_000;
const SCREEN_BITRATE = 600_000;
const MAX_FRAME_RATE = 30;
/** ICE comes back by itself from a short disconnection; after this time it is taken for lost. */
const DISCONNECTED_FOR_MS = 3_000;

const SOURCES: readonly Source[] = ["microphone", "camera", "screen", "screenAudio"];

export interface PeerOptions {
  /** How many videos can be received at once. */
  videoSlots: number;
  iceServers: RTCIceServer[];
}

export interface PeerHandlers {
  onConnected(): void;
  /** Media is lost for good: another attempt is needed. */
  onLost(): void;
  /** The node listens: it can be told what to send. */
  onReady(): void;
  /** Other tracks flow in the video slots. */
  onStreams(streams: Streams): void;
}

/** One attempt at media with the assigned node. It lives from the offer until it is closed, and never renegotiates. */
export class Peer {
  readonly attempt: Attempt;
  readonly #pc: RTCPeerConnection;
  readonly #senders: ReadonlyMap<Source, RTCRtpTransceiver>;
  readonly #receivers: readonly RTCRtpTransceiver[];
  readonly #channel: RTCDataChannel;
  readonly #offered: Promise<Offer>;
  #prepared: Offer | null = null;
  #slots = new Slots(new Map());
  #lossTimer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  /** Starts to prepare the offer at once: it needs nothing of the network. */
  constructor(attempt: Attempt, { videoSlots, iceServers }: PeerOptions, handlers: PeerHandlers) {
    this.attempt = attempt;
    this.#pc = new RTCPeerConnection({ bundlePolicy: "max-bundle", iceServers });
    this.#channel = this.#pc.createDataChannel("connect");
    this.#senders = new Map(SOURCES.map((source) => [source, this.#addSender(source)]));
    this.#receivers = [
      ...Array.from({ length: AUDIO_SLOTS }, () => this.#addReceiver("audio")),
      ...Array.from({ length: videoSlots }, () => this.#addReceiver("video")),
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

  async answer(sdp: string): Promise<void> {
    if (this.#pc.signalingState !== "have-local-offer") return;
    await this.#pc.setRemoteDescription({ type: "answer", sdp: withOpusRepairAndSilence(sdp) });
  }

  /** Sends another track of a source, or nothing: no negotiation. */
  async send(source: Source, track: MediaStreamTrack | null): Promise<void> {
    const sender = this.#senders.get(source)?.sender;
    if (this.#closed || sender === undefined || sender.track === track) return;
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

  getStats(): Promise<RTCStatsReport> {
    return this.#pc.getStats();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#lossTimer);
    this.#channel.onmessage = null;
    this.#channel.onopen = null;
    this.#channel.onclose = null;
    this.#pc.onconnectionstatechange = null;
    this.#pc.close();
  }

  async #createOffer(): Promise<Offer> {
    const offer = await this.#pc.createOffer();
    await this.#pc.setLocalDescription(offer);
    this.#slots = new Slots(new Map(this.#receivers.map((slot) => [slot.mid ?? "", slot.receiver.track])));
    const sources = [...this.#senders].map(([source, { mid }]) => ({ mid: mid ?? "", source }));
    const sdp = this.#pc.localDescription?.sdp ?? offer.sdp ?? "";
    this.#prepared = { attempt: this.attempt, sdp, sources };
    return this.#prepared;
  }

  #addSender(source: Source): RTCRtpTransceiver {
    if (source === "microphone" || source === "screenAudio") {
      return only("audio", OPUS, this.#pc.addTransceiver("audio", { direction: "sendonly" }));
    }
    const maxBitrate = source === "camera" ? CAMERA_BITRATE : SCREEN_BITRATE;
    return only(
      "video",
      VP8,
      this.#pc.addTransceiver("video", {
        direction: "sendonly",
        sendEncodings: [{ maxBitrate, maxFramerate: MAX_FRAME_RATE }],
      }),
    );
  }

  #addReceiver(kind: "audio" | "video"): RTCRtpTransceiver {
    const transceiver = this.#pc.addTransceiver(kind, { direction: "recvonly" });
    return only(kind, kind === "video" ? VP8 : OPUS, transceiver);
  }

  #listen(handlers: PeerHandlers): void {
    this.#pc.onconnectionstatechange = () => {
      clearTimeout(this.#lossTimer);
      const state = this.#pc.connectionState;
      if (state === "connected") handlers.onConnected();
      if (state === "failed") handlers.onLost();
      if (state === "disconnected") {
        this.#lossTimer = setTimeout(() => handlers.onLost(), DISCONNECTED_FOR_MS);
      }
    };
    this.#channel.onopen = () => handlers.onReady();
    // The node has closed it: long before ICE would notice.
    this.#channel.onclose = () => handlers.onLost();
    this.#channel.onmessage = ({ data }) => {
      const message = parse(data);
      if (message?.type === "slots") handlers.onStreams(this.#slots.assign(message.slots));
    };
  }
}

/** The codecs that the node forwards, and RTX, their repair. Offering no others makes the SDP a third as long. */
const OPUS = /^audio\/opus$/i;
const VP8 = /^video\/(vp8|rtx)$/i;

function only(kind: "audio" | "video", wanted: RegExp, transceiver: RTCRtpTransceiver): RTCRtpTransceiver {
  const codecs = RTCRtpReceiver.getCapabilities(kind)?.codecs ?? [];
  transceiver.setCodecPreferences(codecs.filter(({ mimeType }) => wanted.test(mimeType)));
  return transceiver;
}

function parse(data: unknown): NodeMediaMessage | null {
  try {
    return JSON.parse(String(data)) as NodeMediaMessage;
  } catch {
    return null;
  }
}
