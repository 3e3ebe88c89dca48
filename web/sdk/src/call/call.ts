// A call: joins signaling, media and the devices of this browser into one state that a page can show.
import type { Api } from "../api.ts";
import type {
  Caps,
  ChatMessage,
  ClientMessage,
  CloseReason,
  JoinResponse,
  NodeId,
  Participant,
  ParticipantId,
  Quality,
  Region,
  Room,
  RoomEvent,
  RoomId,
} from "../generated/protocol.ts";
import { mayPass } from "../problem.ts";
import { inTask, type Readable, Store } from "../store.ts";
import { AudioOutput } from "./audio-output.ts";
import { type ChoiceStorage, Choices } from "./choices.ts";
import { CodecChoice, decodedHere } from "./codec-choice.ts";
import type { VideoCodec } from "./codecs.ts";
import { STANDARD_ENCODING, type VideoEncoding } from "./encodings.ts";
import { LocalMedia } from "./local-media.ts";
import { LocalScreen } from "./local-screen.ts";
import { MediaSession, type MediaStatus } from "./media-session.ts";
import { afterEcho, afterMessage, type Outbox, withLine } from "./outbox.ts";
import { Playback } from "./playback.ts";
import { Publisher } from "./publishing.ts";
import { type ConnectionQuality, qualityOf } from "./quality.ts";
import { afterEvent, EMPTY_ROOM, type RoomState, roomOf } from "./room.ts";
import { type OtherMessage, Signaling, type Welcome } from "./signaling.ts";
import type { Shown, Streams } from "./slots.ts";
import type { CallStatistics } from "./statistics.ts";
import type { TrackKey } from "./track.ts";
import type { View } from "./view.ts";
import { ScreenAwake } from "./wake-lock.ts";

const STATISTICS_EVERY_MS = 1_000;

/** Credentials for ICE servers are good for longer than this and a call together. */
const SERVERS_FOR_MS = 3_600_000;
/** How many are kept in the order of their speech: more than any layout shows. */
const REMEMBERED_SPEAKERS = 50;
/** As many videos as the largest layout shows at once. */
const VIDEO_SLOTS = 9;

export type CallStatus =
  | { readonly name: "idle" | "joining" | "joined" | "reconnecting" }
  | { readonly name: "ended"; readonly reason: CloseReason }
  /** The room could not be entered; `join` may be called again. */
  | { readonly name: "failed"; readonly error: unknown };

export interface CallState {
  readonly status: CallStatus;
  readonly media: MediaStatus;
  readonly room: Room | null;
  /** This client among the participants. */
  readonly you: ParticipantId | null;
  readonly participants: readonly Participant[];
  readonly chat: readonly ChatMessage[];
  /** Own lines of chat that are not stored yet. */
  readonly outbox: Outbox;
  /** The video that flows now, by track (see `trackKey`). */
  readonly streams: Streams;
  /** Tracks that the path to here cannot carry now. */
  readonly paused: ReadonlySet<TrackKey>;
  /** Who speaks now, the loudest first. */
  readonly speakers: readonly ParticipantId[];
  /** Who has spoken, the latest first. */
  readonly spoke: readonly ParticipantId[];
  readonly region: Region | null;
  readonly node: NodeId | null;
  readonly quality: ConnectionQuality;
  /** How media travels, as the node measures it; null until it has told. */
  readonly report: Quality | null;
  /** How everybody's media travels. */
  readonly reports: ReadonlyMap<ParticipantId, Quality>;
  /** What the owner lets this client send; null before it is in the room. */
  readonly caps: Caps | null;
  /** What is wrong with the call right now, in words; null when all is well. */
  readonly notice: string | null;
}

export interface CallOptions {
  /** The region that media should come from; null to let Connect choose. */
  region?: Region | null;
  /** How many videos can be shown at once. */
  videoSlots?: number;
  /** How camera and screen are encoded: VP8 simulcast unless told otherwise. */
  videoCodec?: VideoCodec;
  /** For VP9 and AV1: layers inside of the single stream, such as `L3T3_KEY`. */
  scalabilityMode?: string | null;
  /** Whether VP8 and H.264 are sent in layers, of which each viewer gets the one that fits. */
  simulcast?: boolean;
  /** Where the choice of devices is kept from call to call, such as `localStorage`; nowhere unless told otherwise. */
  storage?: ChoiceStorage | null;
}

const INITIAL: CallState = {
  status: { name: "idle" },
  media: "idle",
  room: null,
  you: null,
  participants: [],
  chat: [],
  outbox: [],
  streams: new Map(),
  paused: new Set(),
  speakers: [],
  spoke: [],
  region: null,
  node: null,
  quality: "unknown",
  report: null,
  reports: new Map(),
  caps: null,
  notice: null,
};

/** One presence in one room, from the pre-join page until it is left. */
export class Call {
  /** Microphone and camera; they work before the call, too. */
  readonly local: LocalMedia;
  /** The screen that is shared. */
  readonly screen = new LocalScreen();
  /** Where the others are heard. */
  readonly speaker: AudioOutput;
  readonly #api: Api;
  readonly #room: RoomId;
  readonly #region: Region | null;
  // The page draws after all that came with a message: the answer to the offer follows the welcome.
  readonly #state = new Store<CallState>(INITIAL, inTask);
  readonly #media: MediaSession;
  readonly #publisher: Publisher;
  readonly #codecs: CodecChoice;
  readonly #awake = new ScreenAwake();
  /** When the ICE servers are to be asked for again. */
  #serversUntil = 0;
  #signaling: Signaling | null = null;
  #roomState: RoomState = EMPTY_ROOM;
  #playback = new Playback();
  #statisticsTimer: ReturnType<typeof setInterval> | undefined;

  constructor(api: Api, room: RoomId, options: CallOptions = {}) {
    const { region = null, videoSlots = VIDEO_SLOTS, storage } = options;
    this.#api = api;
    this.#room = room;
    this.#region = region;
    const choices = new Choices(storage);
    this.local = new LocalMedia(undefined, choices);
    this.speaker = new AudioOutput(choices);
    this.local.state.subscribe(() => this.speaker.listed(this.local.state.get().devices));
    const handlers = {
      send: (message: ClientMessage) => this.#signaling?.send(message) ?? false,
      onStatus: (media: MediaStatus) => this.#mediaIs(media),
      onShown: (shown: Shown) => this.#state.patch(shown),
      onSpeakers: (speakers: readonly ParticipantId[]) => this.#speak(speakers),
      onQuality: (report: Quality) => this.#state.patch({ report }),
      onStep: mark,
    };
    const encoding = encodingOf(options);
    this.#codecs = new CodecChoice(encoding.codec, (codec) => this.#media.encodeIn(codec));
    this.#media = new MediaSession(
      videoSlots,
      handlers,
      { ...encoding, codec: this.#codecs.codec },
      this.speaker,
    );
    this.#publisher = new Publisher(this.local, this.screen, {
      send: (source, track) => void this.#media.send(source, track),
      tell: (publishing) => this.#signaling?.send({ type: "publishing", publishing }) ?? false,
    });
    this.#publisher.codecIs(this.#codecs.codec);
    this.#listen("addEventListener");
  }

  get state(): Readable<CallState> {
    return this.#state;
  }

  /** What the page shows: each tile reports its track and size. What is not shown is not received. */
  get view(): View {
    return this.#media.view;
  }

  /** Prepares the offer ahead of `join`, so that joining is faster. */
  prepare(): void {
    this.#media.prepare();
    void this.#findServers();
  }

  /** Enters the room. Progress and failure are in `state`. */
  join(): void {
    if (this.#signaling !== null) return;
    mark("join");
    this.#state.patch({ status: { name: "joining" }, notice: null });
    this.prepare();
    void this.local.resume();
    this.#signaling = new Signaling({
      origin: webSocketOrigin(this.#api.origin),
      path: `/api/rooms/${encodeURIComponent(this.#room)}/ws`,
      ticket: () => this.#ticket(),
      isReachable: () => this.#api.isReachable(),
      // A first join that fails is told at once; in a call, a network that is away comes back.
      isTransient: (error) => this.#state.get().you !== null && mayPass(error),
      handlers: {
        onOpen: () => this.#open(),
        onWelcome: (message) => this.#welcome(message),
        onEvent: ({ event }) => this.#happen(event),
        onMessage: (message) => this.#receive(message),
        onLost: () => this.#lost(),
        onClosed: (reason) => this.#end({ name: "ended", reason }),
        onFailed: (error) => this.#end({ name: "failed", error }),
      },
    });
    this.#signaling.start();
  }

  /** Sends a line of chat. It stays in the outbox until the room has stored it. */
  chat(text: string): void {
    const nonce = crypto.randomUUID();
    this.#state.patch({ outbox: withLine(this.#state.get().outbox, nonce, text) });
    this.#signaling?.send({ type: "chat", nonce, text });
  }

  /** As the room's owner: decides what somebody may send. */
  setCaps(participant: ParticipantId, caps: Caps): void {
    this.#signaling?.send({ type: "setCaps", participant, caps });
  }

  /** As the room's owner: sends somebody out of the room. */
  remove(participant: ParticipantId): void {
    this.#signaling?.send({ type: "remove", participant });
  }

  /** What the browser measures now. */
  statistics(): Promise<CallStatistics> {
    return this.#media.statistics();
  }

  /** Leaves the room; `join` may follow. */
  readonly leave = (): void => {
    if (this.#signaling === null) return;
    this.#signaling.end();
    this.#end({ name: "ended", reason: "left" });
  };

  /** Leaves and releases the devices: the object is of no use afterwards. */
  dispose(): void {
    this.leave();
    this.#media.end();
    this.#publisher.end();
    this.local.end();
    this.screen.end();
    this.#listen("removeEventListener");
  }

  async #ticket(): Promise<string> {
    // In a call, media may be fine: the welcome decides.
    const offer = this.#state.get().you === null ? this.#media.takeOffer() : null;
    const request = { region: this.#region, roundTrips: {}, offer, decodes: decodedHere(), moveHere: false };
    const joined: JoinResponse = await this.#api.join(this.#room, request);
    mark("ticket");
    this.#state.patch({ room: joined.room });
    void this.#findServers();
    return joined.url;
  }

  /** Asks for ICE servers ahead of their use. Without them, connections make do with what they had. */
  async #findServers(): Promise<void> {
    if (performance.now() < this.#serversUntil) return;
    this.#serversUntil = performance.now() + SERVERS_FOR_MS;
    try {
      this.#media.useServers(await this.#api.iceServers());
    } catch {
      this.#serversUntil = 0;
    }
  }

  #open(): void {
    // The first offer does not wait for the welcome; later ones do, since they depend on it.
    if (this.#state.get().you !== null) return;
    void this.#media.offerFirst();
    this.#publisher.enter();
  }

  #welcome(message: Welcome): void {
    const { you: before } = this.#state.get();
    if (before !== null) {
      void (before === message.you ? this.#media.resume() : this.#media.restart());
      for (const { nonce, text, refused } of this.#state.get().outbox) {
        if (refused === null) this.#signaling?.send({ type: "chat", nonce, text });
      }
    }
    this.#state.patch({ status: { name: "joined" }, you: message.you, notice: null });
    if (message.snapshot !== null) {
      this.#roomState = roomOf(message.snapshot);
      this.#state.patch({ room: message.snapshot.room, ...this.#roomState });
      this.#silenceOwn();
    }
    this.#obey();
    this.#lookWhoDecodes();
    this.#awake.hold();
    this.#statisticsTimer ??= setInterval(() => void this.#measure(), STATISTICS_EVERY_MS);
    if (before === null) mark("welcome");
  }

  #receive(message: OtherMessage): void {
    this.#state.patch({ outbox: afterMessage(this.#state.get().outbox, message) });
    switch (message.type) {
      case "answer":
        this.#state.patch({ node: message.node, region: message.region, notice: null });
        return void this.#media.answer(message.attempt, message.sdp);
      case "iceRestarted":
        return void this.#media.iceRestarted(message.attempt, message.credentials);
      case "quality":
        return this.#state.patch({
          reports: new Map(message.participants.map(({ participant, quality }) => [participant, quality])),
        });
      case "renegotiate":
        return void this.#media.renegotiate(message.attempt);
      case "error":
        this.#publisher.refused(message);
        if (message.code === "noNode" || message.code === "badOffer") {
          this.#state.patch({ notice: message.message });
        }
        return;
    }
  }

  #happen(event: RoomEvent): void {
    const { you, outbox } = this.#state.get();
    const isEcho = event.type === "chat" && event.message.participant === you;
    this.#roomState = afterEvent(this.#roomState, event);
    this.#state.patch({
      ...this.#roomState,
      outbox: isEcho ? afterEcho(outbox, event.message.text) : outbox,
    });
    this.#silenceOwn();
    if ((event.type === "caps" || event.type === "publishing") && event.participant === you) this.#obey();
    if (event.type === "joined" || event.type === "left") this.#lookWhoDecodes();
  }

  /** Everybody is to see what is sent. */
  #lookWhoDecodes(): void {
    const { you, participants } = this.#state.get();
    this.#codecs.look(participants.filter(({ id }) => id !== you));
  }

  /** Takes the room's word on this client: what it may send, and what others are told that it sends. */
  #obey(): void {
    const { you, participants } = this.#state.get();
    const own = participants.find(({ id }) => id === you);
    this.#state.patch({ caps: own?.caps ?? null });
    if (own !== undefined) this.#publisher.obey(own);
  }

  /** The same person may be here twice, in two tabs: what one of them says, the other does not play. */
  #silenceOwn(): void {
    const { you, participants } = this.#state.get();
    const userOf = (id: ParticipantId | null) => participants.find((person) => person.id === id)?.user;
    this.speaker.silence((id) => userOf(id) !== undefined && userOf(id) === userOf(you));
  }

  #lost(): void {
    this.#publisher.lost();
    this.#codecs.pause();
    if (this.#state.get().you !== null) this.#state.patch({ status: { name: "reconnecting" } });
  }

  #end(status: CallStatus): void {
    this.#signaling = null;
    // Who could not enter stays before the call, with the devices as they were.
    if (status.name === "failed" && this.#state.get().you === null) this.#publisher.lost();
    else this.#publisher.leave();
    this.#codecs.pause();
    this.#awake.release();
    clearInterval(this.#statisticsTimer);
    this.#statisticsTimer = undefined;
    this.#playback = new Playback();
    this.#media.end();
    this.#roomState = EMPTY_ROOM;
    this.#state.set({ ...INITIAL, room: this.#state.get().room, status });
  }

  async #measure(): Promise<void> {
    const now = await this.#media.statistics();
    const frozen = this.#playback.look(now, performance.now());
    if (frozen !== null) this.#media.reportPlayback(frozen);
    const quality = qualityOf(this.#state.get(), now.roundTrip);
    if (quality !== this.#state.get().quality) this.#state.patch({ quality });
  }

  #mediaIs(media: MediaStatus): void {
    this.#state.patch({ media });
    // Not before: until then the former codec is sent.
    if (media === "connected") this.#publisher.codecIs(this.#codecs.codec);
    // What has broken media may have broken the signaling, which would notice much later.
    if (media !== "reconnecting") return;
    this.#signaling?.probe();
    void this.#findServers();
  }

  #speak(speakers: readonly ParticipantId[]): void {
    const before = this.#state.get().spoke.filter((id) => !speakers.includes(id));
    this.#state.patch({ speakers, spoke: [...speakers, ...before].slice(0, REMEMBERED_SPEAKERS) });
  }

  /** Follows the page's network and visibility, or stops doing so. */
  #listen(method: "addEventListener" | "removeEventListener"): void {
    globalThis[method]?.("online", this.#networkChanged);
    globalThis[method]?.("pagehide", this.#pageGone);
    globalThis[method]?.("pageshow", this.#pageBack);
    globalThis.document?.[method]("visibilitychange", this.#visibilityChanged);
  }

  readonly #networkChanged = (): void => {
    this.#signaling?.retryNow();
    this.#signaling?.probe();
  };

  /** A page that the browser keeps for the way back holds no device meanwhile. */
  readonly #pageGone = (): void => {
    this.leave();
    this.local.release();
  };

  readonly #pageBack = (): void => {
    if (this.#state.get().status.name !== "ended") void this.local.resume();
  };

  readonly #visibilityChanged = (): void => this.view.hidePage(document.visibilityState === "hidden");
}

function encodingOf({ videoCodec, scalabilityMode, simulcast }: CallOptions): VideoEncoding {
  return {
    codec: videoCodec ?? STANDARD_ENCODING.codec,
    scalabilityMode: scalabilityMode ?? STANDARD_ENCODING.scalabilityMode,
    simulcast: simulcast ?? STANDARD_ENCODING.simulcast,
  };
}

function webSocketOrigin(origin: string): string {
  return (origin || globalThis.location.origin).replace(/^http/, "ws");
}

/** User Timing marks `connect:…`, from the click on *Join* to the first slots. */
function mark(step: string): void {
  performance.mark(`connect:${step}`);
}
