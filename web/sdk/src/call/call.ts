// A call: joins signaling, media and the devices of this browser into one state that a page can show.

import type { Entrance } from "../entrance.ts";
import type {
  Caption,
  CaptionRefusal,
  ClientMessage,
  JoinResponse,
  ParticipantId,
  ParticipantQuality,
  Quality,
  Region,
  RoomEvent,
  RoomId,
  SettingsChange,
  UserId,
} from "../generated/protocol.ts";
import { retryAfter, TimeoutError } from "../problem.ts";
import { inTask, type Readable, Store } from "../store.ts";
import type { Ask } from "./asks.ts";
import { AudioOutput } from "./audio-output.ts";
import { withEarlier } from "./chat-lines.ts";
import { type ChoiceStorage, Choices } from "./choices.ts";
import { CodecChoice, decodedHere } from "./codec-choice.ts";
import { keepWayBack, takeWayBack, type WayBack } from "./coming-back.ts";
import { elsewhereOf, QuietBesideOneself } from "./elsewhere.ts";
import { IceServerSource } from "./ice-servers.ts";
import { Identity } from "./identity.ts";
import { JoinTrace } from "./join-trace.ts";
import { LocalMedia } from "./local-media.ts";
import { LocalScreen } from "./local-screen.ts";
import { Measuring } from "./measuring.ts";
import { MediaSession, type MediaStatus } from "./media-session.ts";
import { type CallOptions, encodingOf, type Joining, VIDEO_SLOTS } from "./options.ts";
import { followPage } from "./page-events.ts";
import { Publisher } from "./publishing.ts";
import { qualityOf } from "./quality.ts";
import { type Regions, regionsOf } from "./regions.ts";
import { afterEvent, EMPTY_ROOM, type RoomState, roomOf, withChat } from "./room.ts";
import { type OtherMessage, type Refusal, Signaling, type Welcome } from "./signaling.ts";
import type { Shown } from "./slots.ts";
import { type CallState, type CallStatus, INITIAL } from "./state.ts";
import type { CallStatistics } from "./statistics.ts";
import { Subjects } from "./subjects.ts";
import type { View } from "./view.ts";
import { ScreenAwake } from "./wake-lock.ts";

/** Who is not in the room after this time is told so. */
const JOIN_WITHIN_MS = 30_000;

/** How many are kept in the order of their speech: more than any layout shows. */
const REMEMBERED_SPEAKERS = 50;

/** One presence in one room, from the pre-join page until it is left. */
export class Call extends Subjects {
  /** Where the others are heard. */
  readonly speaker: AudioOutput;
  readonly #identity: Identity;
  readonly #room: RoomId;
  readonly #region: Region | null;
  // The page draws after all that came with a message: the answer to the offer follows the welcome.
  readonly #state = new Store<CallState>(INITIAL, inTask);
  readonly #media: MediaSession;
  readonly #publisher: Publisher;
  readonly #measuring: Measuring;
  readonly #codecs: CodecChoice;
  readonly #awake = new ScreenAwake();
  readonly #quiet: QuietBesideOneself;
  readonly #servers: IceServerSource;
  readonly #regions: Regions;
  readonly #unfollow: () => void;
  #signaling: Signaling | null = null;
  /** The room's, as it was given last: who comes back need not give it again. */
  #password: string | null = null;
  #roomState: RoomState = EMPTY_ROOM;
  /** The page had its devices when it was left. */
  #hadDevices = false;
  readonly #tab: ChoiceStorage | null;
  /** By what it goes on as who a page before this one was, until it is welcomed. */
  #returning: WayBack | null = null;
  #joinTimer: ReturnType<typeof setTimeout> | undefined;
  #trace: JoinTrace | null = null;

  /** By an `Api`, as who is signed in; or by a `Guest`. */
  constructor(entrance: Entrance, room: RoomId, options: CallOptions = {}) {
    const send = (message: ClientMessage) => this.#signaling?.send(message) ?? false;
    const { region = null, videoSlots = VIDEO_SLOTS, storage, tab = null } = options;
    const choices = new Choices(storage);
    super(new LocalMedia(undefined, choices), new LocalScreen(), {
      send,
      onRefused: (refusal) => this.#state.patch({ refusal }),
      you: () => this.#state.get().you,
      ask: (asked) => this.#ask(asked),
      onMoved: () => this.#quiet.moved(),
      tell: (message) => this.#media.tell(message),
      onOutbox: (outbox) => this.#state.patch({ outbox }),
      onChat: (shown) => this.#state.patch(shown),
      onEarlier: (lines) => this.#roomIs(withChat(this.#roomState, withEarlier(this.#roomState.chat, lines))),
      onOthers: (lines, before) => this.#roomIs(withChat(this.#roomState, lines), before),
    });
    this.#identity = new Identity(entrance);
    this.#room = room;
    this.#region = region;
    this.#tab = tab;
    this.speaker = new AudioOutput(choices);
    this.local.state.subscribe(() => this.speaker.listed(this.local.state.get().devices));
    const handlers = {
      send,
      onStatus: (media: MediaStatus) => this.#mediaIs(media),
      onShown: (shown: Shown) => this.#state.patch(shown),
      onSpeakers: (speakers: readonly ParticipantId[]) => this.#speak(speakers),
      onQuality: (report: Quality) => this.#state.patch({ report }),
      onQualities: (of: readonly ParticipantQuality[]) =>
        this.#state.patch({ reports: new Map(of.map(({ participant, quality }) => [participant, quality])) }),
      onCaption: (caption: Caption) => this.captions.heard(caption),
      onCaptionRefused: (reason: CaptionRefusal) => this.captions.notTold(reason),
      onReady: () => this.captions.again(),
      onStep: (step: string) => this.#step(step),
    };
    const encoding = encodingOf(options);
    this.#codecs = new CodecChoice(encoding.codec, (codec) => this.#media.encodeIn(codec));
    const video = { ...encoding, codec: this.#codecs.codec };
    this.#media = new MediaSession(videoSlots, handlers, video, this.speaker);
    this.#measuring = new Measuring(this.#media, ({ roundTrip }) => this.#judge(roundTrip));
    this.#publisher = new Publisher(this.local, this.screen, {
      send: (source, track) => void this.#media.send(source, track),
      tell: (publishing) => send({ type: "publishing", publishing }),
    });
    this.#publisher.codecIs(this.#codecs.codec);
    this.#quiet = new QuietBesideOneself(this.local, (quiet) => this.#state.patch({ quiet }));
    this.spotlight.state.subscribe(() => this.view.prefer(this.spotlight.state.get()));
    this.#regions = regionsOf(entrance.origin);
    this.#servers = new IceServerSource(this.#identity, this.#room, {
      use: (servers) => this.#media.useServers(servers),
      measure: (probes) => void this.#regions.measure(probes),
    });
    this.#unfollow = followPage({
      onNetwork: () => this.#networkChanged(),
      onVisible: (visible) => this.#visible(visible),
      onGone: () => this.#pageGone(),
      onBack: () => this.#pageBack(),
    });
  }

  get state(): Readable<CallState> {
    return this.#state;
  }

  /** What the page shows: each tile reports its track and size. What is not shown is not received. */
  get view(): View {
    return this.#media.view;
  }

  /** Prepares the offer ahead of `join` and measures the way to the regions, so that joining is faster and near. */
  prepare(): void {
    this.#media.prepare();
    void this.#servers.refresh();
  }

  /**
   * Enters the room, by its password if it has one, or moves the call here from where else its user has it. Progress and failure are in `state`; `cancel`
   * ends the attempt.
   */
  join({ moveHere = false, password = this.#password }: Joining = {}): void {
    this.#enter({ moveHere, password }, null);
  }

  /**
   * Goes on as who was in this room on the page that was here a moment ago, and is loaded anew or brought back: the same participant, with
   * the same devices on. False, and nothing is done, if there was none, or it was somebody else than this account, null for a guest.
   */
  comeBack(account: UserId | null): boolean {
    const way = takeWayBack(this.#tab, this.#room);
    return way !== null && way.account === account && this.#comeBackBy(way);
  }

  #comeBackBy(way: WayBack): boolean {
    if (this.#signaling !== null) return false;
    this.#media.follow(way.attempt);
    void this.local.restore(way);
    this.#enter({}, way);
    return true;
  }

  #enter({ moveHere = false, password = this.#password }: Joining, way: WayBack | null): void {
    if (this.#signaling !== null) return;
    const room = this.#room;
    this.#returning = way;
    this.#password = password;
    this.#trace = new JoinTrace((report) => void this.#identity.tell(room, report));
    this.#step("join");
    this.#state.patch({ status: { name: "joining" }, notice: null, refusal: null });
    this.prepare();
    void this.local.resume();
    const late = () => this.#fail(new TimeoutError(JOIN_WITHIN_MS));
    this.#joinTimer = setTimeout(late, JOIN_WITHIN_MS);
    this.#signaling = new Signaling({
      origin: webSocketOrigin(this.#identity.entrance.origin),
      path: `/api/rooms/${encodeURIComponent(this.#room)}/ws`,
      ticket: (signal) => this.#ticket({ moveHere, password }, signal),
      isReachable: (signal) => this.#identity.entrance.isReachable({ signal }),
      resume: way?.token ?? null,
      // A first join that fails is told at once; in a call, a network that is away comes back.
      retryAfter: (error) => (this.#isFirst ? null : retryAfter(error)),
      handlers: {
        onOpen: () => this.#open(),
        onWelcome: (message) => this.#welcome(message),
        onWaiting: () => this.#waiting(),
        onEvent: ({ event }) => this.#happen(event),
        onMessage: (message) => this.#receive(message),
        onLost: (pauseMs) => this.#lost(pauseMs),
        onClosed: (reason) => this.#end({ name: "ended", reason }),
        onFailed: (error) => this.#fail(error),
      },
    });
    this.#signaling.start();
  }

  /** Gives a join up that is under way. */
  cancel(): void {
    const { name } = this.#state.get().status;
    if (name !== "joining" && name !== "waiting") return;
    this.#signaling?.end();
    this.#end({ name: "idle" });
  }

  /** The call goes on here alone: it ends for its user on all other pages and devices. */
  moveHere(): void {
    this.#ask({ type: "moveHere" });
  }

  /** As a guest: goes on as the account that is signed in to now, in the same call. Rejects if none is. */
  async takeAccount(): Promise<void> {
    const claim = await this.#identity.claim();
    if (claim !== null) this.#ask(claim);
  }

  /** As the host: changes how the room is set. */
  configure(change: SettingsChange): void {
    this.#ask({ type: "configure", change });
  }

  /** Nobody needs to see `refusal` any more. */
  dismissRefusal(): void {
    this.#state.patch({ refusal: null });
  }

  /** Where media is blocked: tries again now. */
  retryMedia(): void {
    void this.#servers.refresh();
    void this.#media.retry();
  }

  /** What the browser measures now. */
  statistics(): Promise<CallStatistics> {
    return this.#media.statistics();
  }

  /** The first picture of somebody else is shown: the end of the join that is traced. */
  readonly firstFrame = (): void => this.#step("first-frame");

  /** Leaves the room; `join` may follow. */
  readonly leave = (): void => {
    if (this.#signaling === null) return;
    this.subjects.flush();
    this.#signaling.end();
    this.#end({ name: "ended", reason: "left" });
  };

  /** Leaves and releases the devices: the object is of no use afterwards. */
  dispose(): void {
    this.leave();
    this.#servers.end();
    this.#media.end();
    this.#publisher.end();
    this.local.end();
    this.screen.end();
    this.#unfollow();
  }

  /** Each step of a join is a part of its trace, and a User Timing mark `connect:…`. */
  #step(step: string): void {
    performance.mark(`connect:${step}`);
    this.#trace?.step(step);
  }

  async #ticket({ moveHere = false, password = null }: Joining, signal: AbortSignal): Promise<string> {
    // The way back, if there was one, led nowhere.
    this.#returning = null;
    const isFirst = this.#state.get().you === null;
    // In a call, media may be fine: the welcome decides.
    const offer = isFirst ? this.#media.takeOffer() : null;
    const request = {
      region: this.#region,
      // Nobody waits for what is not known yet: geography decides then.
      roundTrips: this.#regions.roundTrips(),
      offer,
      decodes: decodedHere(),
      moveHere: isFirst && moveHere,
      password,
      traceparent: isFirst ? (this.#trace?.traceparent ?? null) : null,
    };
    const joined: JoinResponse = await this.#identity.entrance.join(this.#room, request, { signal });
    this.#step("ticket");
    this.#state.patch({ room: joined.room });
    this.#servers.take(joined.iceServers, joined.iceExpiresIn);
    return joined.url;
  }

  /** Neither in the room nor at its door before. */
  get #isFirst(): boolean {
    const { you, status } = this.#state.get();
    return you === null && status.name !== "waiting";
  }

  #waiting(): void {
    clearTimeout(this.#joinTimer);
    this.#state.patch({ status: { name: "waiting" } });
  }

  #open(): void {
    // The first offer does not wait for the welcome; later ones do, since they depend on it.
    if (this.#state.get().you !== null) return;
    this.#step("open");
    void this.#media.offerFirst();
    // Of who comes back, it knows more: the welcome says what.
    if (this.#returning === null) this.#publisher.enter();
  }

  #welcome(message: Welcome): void {
    const { you: before } = this.#state.get();
    clearTimeout(this.#joinTimer);
    if (before !== null) void (before === message.you ? this.#media.resume() : this.#media.restart());
    this.#state.patch({ status: { name: "joined" }, you: message.you, notice: null });
    if (message.snapshot !== null) {
      this.#state.patch({ room: message.snapshot.room });
      this.#roomIs(roomOf(message.snapshot), message.snapshot.chatBefore);
    }
    // Who comes back was beside themselves before, if at all.
    if (before !== message.you && this.#returning === null)
      this.#quiet.enter(this.#roomState.participants, message.you);
    this.#returning = null;
    this.subjects.welcome(message.snapshot);
    this.#obey();
    this.#lookWhoDecodes();
    this.#awake.hold();
    this.#measuring.start();
    if (before === null) this.#step("welcome");
  }

  /** Asks for something that the room may refuse. */
  #ask(ask: Ask): void {
    this.asks.ask(ask);
    this.#look();
  }

  #receive(message: OtherMessage): void {
    this.subjects.receive(message);
    switch (message.type) {
      case "answer":
        this.#state.patch({ node: message.node, region: message.region, notice: null });
        return void this.#media.answer(message.attempt, message.sdp);
      case "iceRestarted":
        return void this.#media.iceRestarted(message.attempt, message.credentials);
      case "renegotiate":
        return void this.#media.renegotiate(message.attempt);
      case "checkMedia":
        return void this.#media.check(message.attempt);
      case "error":
        return this.#refused(message);
    }
  }

  #refused(error: Refusal): void {
    this.#publisher.refused(error);
    this.subjects.refused(error);
    const { code, message } = error;
    if (code === "noNode" || code === "badOffer") this.#state.patch({ notice: message });
  }

  #happen(event: RoomEvent): void {
    const { you, participants } = this.#state.get();
    const user = participants.find(({ id }) => id === you)?.user ?? null;
    this.subjects.happen(event);
    this.#roomIs(afterEvent(this.#roomState, event, user));
    if ((event.type === "caps" || event.type === "publishing") && event.participant === you) this.#obey();
    if (event.type === "joined" || event.type === "left") this.#lookWhoDecodes();
  }

  #roomIs(room: RoomState, chatBefore?: string): void {
    this.#roomState = room;
    this.#state.patch(room);
    this.chat.shows(room.chat, chatBefore);
    this.#look();
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
    if (own?.caps.audio === false) this.#quiet.forbidden();
    if (own !== undefined) this.#publisher.obey(own);
  }

  /**
   * Who is here may tell that what was asked for is done. And the same person may be here twice, in two tabs: what one of them
   * says, the other does not play.
   */
  #look(): void {
    const { you, participants } = this.#state.get();
    this.asks.look(this.#state.get(), you);
    this.#identity.look(participants.find(({ id }) => id === you));
    const own = elsewhereOf(participants, you).map(({ id }) => id);
    this.speaker.silence((id) => own.includes(id));
  }

  #lost(pauseMs: number): void {
    this.#publisher.lost();
    this.subjects.lost();
    this.#codecs.pause();
    if (this.#state.get().you !== null) this.#state.patch({ status: { name: "reconnecting", pauseMs } });
  }

  #fail(error: unknown): void {
    this.#signaling?.end();
    this.#end({ name: "failed", error });
  }

  #end(status: CallStatus): void {
    this.#signaling = null;
    this.#returning = null;
    this.#trace?.end(status.name === "failed" ? "failed" : "givenUp");
    clearTimeout(this.#joinTimer);
    this.#codecs.pause();
    this.#awake.release();
    // Who could not enter stays before the call, with the devices as they were.
    if (status.name !== "ended" && this.#state.get().you === null) this.#publisher.lost();
    else this.#publisher.leave();
    this.#measuring.stop();
    this.#servers.end();
    this.#media.end();
    this.#roomState = EMPTY_ROOM;
    if (status.name !== "ended") this.subjects.end("failed");
    else this.subjects.end(status.reason === "left" ? "left" : "over");
    const { room, outbox, quiet } = this.#state.get();
    this.#state.set({ ...INITIAL, room, outbox, quiet, status });
  }

  #judge(roundTrip: number | null): void {
    const quality = qualityOf(this.#state.get(), roundTrip);
    if (quality !== this.#state.get().quality) this.#state.patch({ quality });
  }

  #mediaIs(media: MediaStatus): void {
    this.#state.patch({ media });
    // Not before: until then the former codec is sent.
    if (media.name === "connected") this.#publisher.codecIs(this.#codecs.codec);
    // What has broken media may have broken the signaling, which would notice much later.
    if (media.name !== "reconnecting") return;
    this.#signaling?.probe();
    void this.#servers.refresh();
  }

  #speak(speakers: readonly ParticipantId[]): void {
    const before = this.#state.get().spoke.filter((id) => !speakers.includes(id));
    this.#state.patch({ speakers, spoke: [...speakers, ...before].slice(0, REMEMBERED_SPEAKERS) });
  }

  #networkChanged(): void {
    this.#comesBack();
    void this.#media.retry();
  }

  /** The connection may be lost without a word of it. */
  #comesBack(): void {
    this.#signaling?.retryNow();
    this.#signaling?.probe();
  }

  #visible(visible: boolean): void {
    this.view.hidePage(!visible);
    // The page may have slept.
    if (visible) this.#comesBack();
  }

  /** A page that the browser keeps for the way back holds no device meanwhile. */
  #pageGone(): void {
    if (this.#keepsWayBack()) {
      this.subjects.flush();
      this.#signaling?.pageGone();
      this.#end({ name: "ended", reason: "left" });
    }
    this.leave();
    this.#hadDevices = this.local.release();
  }

  #pageBack(): void {
    const way = takeWayBack(this.#tab, this.#room);
    if (way !== null && this.#comeBackBy(way)) return;
    if (this.#hadDevices) void this.local.resume();
  }

  /** Leaves the way back to the next page, for who is in the room. */
  #keepsWayBack(): boolean {
    const attempt = this.#media.attempt;
    if (this.#returning !== null) return keepWayBack(this.#tab, { ...this.#returning, attempt });
    const { you, participants } = this.#state.get();
    const own = participants.find(({ id }) => id === you);
    const token = this.#signaling?.resumeToken ?? null;
    if (own === undefined || token === null) return false;
    const { microphone, camera } = this.local.state.get();
    const [room, account] = [this.#room, own.guest ? null : own.user];
    const wanted = { microphone: microphone.wanted, camera: camera.wanted };
    return keepWayBack(this.#tab, { room, account, token, attempt, ...wanted });
  }
}

function webSocketOrigin(origin: string): string {
  return (origin || globalThis.location.origin).replace(/^http/, "ws");
}
