// The signaling WebSocket: comes back by itself after a loss, and delivers every event exactly once, in order.
import type { ClientMessage, CloseReason, ServerMessage } from "../generated/protocol.ts";
import { backoff } from "./backoff.ts";
import { KeepAlive } from "./keep-alive.ts";

/** A connection that brings no welcome within this time is given up. */
const WELCOME_WITHIN_MS = 10_000;
/** After so many tries that a reachable server did not take, the way in is no good any more: a new ticket is asked for. */
const TRIES = 3;
/** A ticket is good for 60 s, of which its way here has taken some. */
const TICKET_FOR_MS = 50_000;
/** Codes of a close on whoever says far too much, and how long to stay away if the room has not told it. */
const SENT_AWAY = [1008, 4429];
const AWAY_MS = 10_000;
/** No room asks for a longer pause. */
const LONGEST_PAUSE_MS = 600_000;

export type Waiting = Extract<ServerMessage, { type: "waiting" }>;
export type Welcome = Extract<ServerMessage, { type: "welcome" }>;
/** That something is refused, and why. */
export type Refusal = Extract<ServerMessage, { type: "error" }>;
export type RoomEventMessage = Extract<ServerMessage, { type: "event" }>;
/** What is neither about the connection itself nor an event. */
export type OtherMessage = Exclude<
  ServerMessage,
  { type: "welcome" | "waiting" | "event" | "closed" | "wait" }
>;

export interface SignalingHandlers {
  /** The socket is open; what has to be said first can be sent. */
  onOpen(): void;
  onWelcome(message: Welcome): void;
  /** One is at the door, and waits to be let in: the welcome follows. */
  onWaiting(): void;
  onEvent(message: RoomEventMessage): void;
  onMessage(message: OtherMessage): void;
  /** The connection is lost and will be tried again: after this pause, if the room has asked for one (milliseconds). */
  onLost(pauseMs: number): void;
  /** The room has ended for this client. */
  onClosed(reason: CloseReason): void;
  /** A new ticket was refused: there is no way back. */
  onFailed(error: unknown): void;
}

export interface SignalingOptions {
  /** Origin for the WebSocket, e.g. `wss://connect.example`. */
  origin: string;
  /** Path of the room's WebSocket, for resumption. */
  path: string;
  /** Asks for a ticket; resolves to path and query of the WebSocket. The signal is aborted when it is not needed any more. */
  ticket: (signal: AbortSignal) => Promise<string>;
  handlers: SignalingHandlers;
  /** After how many milliseconds a ticket may be asked for again, when that has failed so; null if it is of no use. */
  retryAfter: (error: unknown) => number | null;
  /** Whether the server answers at all: while it does not, nothing is known about the resumption. */
  isReachable: (signal: AbortSignal) => Promise<boolean>;
  random?: () => number;
  /** The token of a page before this one, whose participant goes on here. */
  resume?: string | null;
}

/** The connection to a room. */
export class Signaling {
  readonly #options: Required<SignalingOptions>;
  #socket: WebSocket | null = null;
  #state: "idle" | "connecting" | "open" | "waiting" | "ended" = "idle";
  /** Two ways in: neither is used up before a welcome has come by it. */
  #resume: { token: string; seq: number | null } | null = null;
  #ticket: { url: string; until: number } | null = null;
  /** Tries in a row that brought no welcome, and those of them that a reachable server did not take. */
  #failures = 0;
  #refusals = 0;
  /** Within how many milliseconds everybody of this room comes back after a loss. */
  #spreadMs: number | undefined;
  /** The room has asked for a pause until then. */
  #notBefore = 0;
  #keepAlive: KeepAlive | null = null;
  readonly #canceled = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: SignalingOptions) {
    this.#options = { random: Math.random, resume: null, ...options };
    const { resume } = this.#options;
    if (resume !== null) this.#resume = { token: resume, seq: null };
  }

  /** Connects, with a ticket that it asks for, or as who was here. */
  start(): void {
    const way = this.#wayIn();
    if (way === null) void this.#connectAnew();
    else this.#connect(way);
  }

  /** What admits this client once more; null before its first welcome. */
  get resumeToken(): string | null {
    return this.#resume?.token ?? null;
  }

  /** Sends if the socket is open, and says whether it did. What must survive a loss is its owner's to keep. */
  send(message: ClientMessage): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** Tries at once instead of at the end of the wait: the network is back. */
  retryNow(): void {
    if (this.#state === "waiting" && this.#pause() === 0) void this.#retry();
  }

  /** There is reason to doubt the connection: it has to answer soon, or it is made anew. */
  probe(): void {
    this.#keepAlive?.probe();
  }

  /** Leaves for good. */
  end(): void {
    this.send({ type: "leave" });
    this.#finish();
  }

  /** The page is left: the next one may come back as the same participant. */
  pageGone(): void {
    this.send({ type: "pageGone" });
    this.#finish();
  }

  #connect(url: string): void {
    this.#state = "connecting";
    const socket = new WebSocket(this.#options.origin + url);
    this.#socket = socket;
    this.#setTimer(WELCOME_WITHIN_MS, () => this.#lose(socket));
    const isCurrent = () => this.#socket === socket;
    socket.onopen = () => {
      if (isCurrent()) this.#options.handlers.onOpen();
    };
    socket.onmessage = ({ data }) => {
      if (isCurrent() && typeof data === "string") this.#receive(socket, data);
    };
    socket.onclose = ({ code }) => this.#lose(socket, code);
  }

  #receive(socket: WebSocket, text: string): void {
    this.#keepAlive?.heard();
    const message = parse(text);
    if (message === null) return;
    switch (message.type) {
      case "welcome":
        return this.#welcome(socket, message);
      case "waiting":
        this.#connected(socket, message, 0);
        return this.#options.handlers.onWaiting();
      case "event":
        return this.#event(socket, message);
      case "wait":
        return this.#pauseFor(message.ms);
      case "closed":
        this.#finish();
        return this.#options.handlers.onClosed(message.reason);
      default:
        return this.#options.handlers.onMessage(message);
    }
  }

  #welcome(socket: WebSocket, message: Welcome): void {
    // A resumed connection goes on from what we have seen; the replay follows as events.
    const seq = message.snapshot === null ? (this.#resume?.seq ?? message.seq) : message.seq;
    this.#connected(socket, message, seq);
    this.#options.handlers.onWelcome(message);
  }

  #connected(socket: WebSocket, message: Welcome | Waiting, seq: number): void {
    this.#state = "open";
    this.#failures = 0;
    this.#refusals = 0;
    this.#resume = { token: message.resumeToken, seq };
    this.#ticket = null;
    this.#spreadMs = message.redialWithinMs;
    clearTimeout(this.#timer);
    // Who waited has one already.
    this.#keepAlive ??= new KeepAlive({
      ping: () => socket.readyState === WebSocket.OPEN && socket.send("ping"),
      onSilent: () => this.#lose(socket),
    });
  }

  #event(socket: WebSocket, message: RoomEventMessage): void {
    const resume = this.#resume;
    if (resume === null || resume.seq === null || message.seq <= resume.seq) return;
    // A hole in the numbers: ask for the replay instead of going on with half of the truth.
    if (message.seq !== resume.seq + 1) return this.#lose(socket);
    resume.seq = message.seq;
    this.#options.handlers.onEvent(message);
  }

  #lose(socket: WebSocket, code?: number): void {
    if (this.#socket !== socket) return;
    if (code !== undefined && SENT_AWAY.includes(code) && this.#pause() === 0) this.#pauseFor(AWAY_MS);
    if (this.#state === "connecting") this.#failures += 1;
    this.#hangUp();
    this.#wait();
  }

  #wait(): void {
    this.#state = "waiting";
    const pause = this.#pause();
    const wait = backoff(this.#failures, this.#options.random(), this.#spreadMs);
    this.#setTimer(pause + wait, () => void this.#retry());
    this.#options.handlers.onLost(pause);
  }

  #pauseFor(ms: number): void {
    this.#notBefore = performance.now() + Math.min(ms, LONGEST_PAUSE_MS);
  }

  /** Milliseconds for which the room still does not want to be dialed. */
  #pause(): number {
    return Math.max(0, this.#notBefore - performance.now());
  }

  async #retry(): Promise<void> {
    this.#state = "connecting";
    clearTimeout(this.#timer);
    if (this.#failures > 0) {
      const reachable = await this.#options.isReachable(this.#canceled.signal).catch(() => false);
      if (this.#isEnded()) return;
      if (!reachable) {
        this.#failures += 1;
        return this.#wait();
      }
      this.#refusals += 1;
    }
    const way = this.#refusals < TRIES ? this.#wayIn() : null;
    if (way === null) return this.#connectAnew();
    this.#connect(way);
  }

  /** Path and query that admit this client once more, as whom it was. */
  #wayIn(): string | null {
    if (this.#resume !== null) {
      const { token, seq } = this.#resume;
      // A page that has seen nothing yet is shown the whole room.
      const query = new URLSearchParams({ resume: token, ...(seq !== null && { since: String(seq) }) });
      return `${this.#options.path}?${query}`;
    }
    return this.#ticket !== null && performance.now() < this.#ticket.until ? this.#ticket.url : null;
  }

  async #connectAnew(): Promise<void> {
    this.#state = "connecting";
    clearTimeout(this.#timer);
    try {
      const url = await this.#options.ticket(this.#canceled.signal);
      if (this.#isEnded()) return;
      this.#resume = null;
      this.#ticket = { url, until: performance.now() + TICKET_FOR_MS };
      this.#refusals = 0;
      this.#connect(url);
    } catch (error) {
      if (this.#isEnded()) return;
      const pause = this.#options.retryAfter(error);
      if (pause === null) {
        this.#finish();
        return this.#options.handlers.onFailed(error);
      }
      this.#pauseFor(pause);
      this.#failures += 1;
      this.#wait();
    }
  }

  #isEnded(): boolean {
    return this.#state === "ended";
  }

  #finish(): void {
    this.#state = "ended";
    clearTimeout(this.#timer);
    this.#canceled.abort();
    this.#hangUp(1000);
  }

  #hangUp(code?: number): void {
    this.#keepAlive?.stop();
    this.#keepAlive = null;
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(code);
  }

  #setTimer(ms: number, then: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(then, ms);
  }
}

/** Unknown types and the answer to a ping are no messages to us. */
function parse(text: string): ServerMessage | null {
  if (text === "pong") return null;
  try {
    const message: unknown = JSON.parse(text);
    const known = typeof message === "object" && message !== null && "type" in message;
    return known ? (message as ServerMessage) : null;
  } catch {
    return null;
  }
}
