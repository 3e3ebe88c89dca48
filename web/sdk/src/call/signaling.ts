// The signaling WebSocket: comes back by itself after a loss, and delivers every event exactly once, in order.
import type { ClientMessage, CloseReason, ServerMessage } from "../generated/protocol.ts";
import { backoff } from "./backoff.ts";

/** Silence after which the connection is probed. */
const PING_AFTER_MS = 15_000;
/** A probe that is not answered within this time means that the connection is lost. */
const PONG_WITHIN_MS = 5_000;
/** The same when there is reason to doubt it. */
const PONG_SOON_MS = 1_000;
/** A connection that brings no welcome within this time is given up. */
const WELCOME_WITHIN_MS = 10_000;
/** After so many resumptions that a reachable server did not take, the participant is gone: a new ticket is asked for. */
const RESUME_TRIES = 3;

export type Welcome = Extract<ServerMessage, { type: "welcome" }>;
export type RoomEventMessage = Extract<ServerMessage, { type: "event" }>;
/** What is neither about the connection itself nor an event. */
export type OtherMessage = Exclude<ServerMessage, { type: "welcome" | "event" | "closed" }>;

export interface SignalingHandlers {
  /** The socket is open; what has to be said first can be sent. */
  onOpen(): void;
  onWelcome(message: Welcome): void;
  onEvent(message: RoomEventMessage): void;
  onMessage(message: OtherMessage): void;
  /** The connection is lost and will be tried again. */
  onLost(): void;
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
  /** Asks for a ticket; resolves to path and query of the WebSocket. */
  ticket: () => Promise<string>;
  handlers: SignalingHandlers;
  /** Tells errors that may pass (no network) from those that stay. */
  isTransient: (error: unknown) => boolean;
  /** Whether the server answers at all: while it does not, nothing is known about the resumption. */
  isReachable: () => Promise<boolean>;
  random?: () => number;
}

/** The connection to a room. */
export class Signaling {
  readonly #options: Required<SignalingOptions>;
  #socket: WebSocket | null = null;
  #state: "idle" | "connecting" | "open" | "waiting" | "ended" = "idle";
  #resume: { token: string; seq: number } | null = null;
  #failures = 0;
  #refusals = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: SignalingOptions) {
    this.#options = { random: Math.random, ...options };
  }

  /** Connects, with a ticket that it asks for. */
  start(): void {
    void this.#connectAnew();
  }

  /** Sends if the socket is open, and says whether it did. What must survive a loss is its owner's to keep. */
  send(message: ClientMessage): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** Tries at once instead of at the end of the wait: the network is back. */
  retryNow(): void {
    if (this.#state === "waiting") void this.#retry();
  }

  /** There is reason to doubt the connection: it has to answer soon, or it is made anew. */
  probe(): void {
    const socket = this.#socket;
    if (this.#state !== "open" || socket?.readyState !== WebSocket.OPEN) return;
    socket.send("ping");
    this.#setTimer(PONG_SOON_MS, () => this.#lose(socket));
  }

  /** Leaves for good. */
  end(): void {
    this.send({ type: "leave" });
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
    socket.onclose = () => this.#lose(socket);
  }

  #receive(socket: WebSocket, text: string): void {
    if (this.#state === "open") this.#watch(socket);
    const message = parse(text);
    if (message === null) return;
    switch (message.type) {
      case "welcome":
        return this.#welcome(socket, message);
      case "event":
        return this.#event(socket, message);
      case "closed":
        this.#finish();
        return this.#options.handlers.onClosed(message.reason);
      default:
        return this.#options.handlers.onMessage(message);
    }
  }

  #welcome(socket: WebSocket, message: Welcome): void {
    this.#state = "open";
    this.#failures = 0;
    this.#refusals = 0;
    // A resumed connection goes on from what we have seen; the replay follows as events.
    const seq = message.snapshot === null ? (this.#resume?.seq ?? message.seq) : message.seq;
    this.#resume = { token: message.resumeToken, seq };
    this.#watch(socket);
    this.#options.handlers.onWelcome(message);
  }

  #event(socket: WebSocket, message: RoomEventMessage): void {
    const resume = this.#resume;
    if (resume === null || message.seq <= resume.seq) return;
    // A hole in the numbers: ask for the replay instead of going on with half of the truth.
    if (message.seq !== resume.seq + 1) return this.#lose(socket);
    resume.seq = message.seq;
    this.#options.handlers.onEvent(message);
  }

  /** Probes the connection after silence. */
  #watch(socket: WebSocket): void {
    this.#setTimer(PING_AFTER_MS, () => {
      if (socket.readyState === WebSocket.OPEN) socket.send("ping");
      this.#setTimer(PONG_WITHIN_MS, () => this.#lose(socket));
    });
  }

  #lose(socket: WebSocket): void {
    if (this.#socket !== socket) return;
    if (this.#state === "connecting") this.#failures += 1;
    this.#socket = null;
    socket.close();
    this.#wait();
    this.#options.handlers.onLost();
  }

  #wait(): void {
    this.#state = "waiting";
    this.#setTimer(backoff(this.#failures, this.#options.random()), () => void this.#retry());
  }

  async #retry(): Promise<void> {
    this.#state = "connecting";
    clearTimeout(this.#timer);
    if (this.#failures > 0) {
      const reachable = await this.#options.isReachable();
      if (this.#isEnded()) return;
      if (!reachable) {
        this.#failures += 1;
        return this.#wait();
      }
      this.#refusals += 1;
    }
    const resume = this.#resume;
    if (resume === null || this.#refusals >= RESUME_TRIES) return this.#connectAnew();
    const query = new URLSearchParams({ resume: resume.token, since: String(resume.seq) });
    this.#connect(`${this.#options.path}?${query}`);
  }

  async #connectAnew(): Promise<void> {
    this.#state = "connecting";
    clearTimeout(this.#timer);
    try {
      const url = await this.#options.ticket();
      if (this.#isEnded()) return;
      this.#resume = null;
      this.#refusals = 0;
      this.#connect(url);
    } catch (error) {
      if (this.#isEnded()) return;
      if (!this.#options.isTransient(error)) {
        this.#finish();
        return this.#options.handlers.onFailed(error);
      }
      this.#failures += 1;
      this.#wait();
      this.#options.handlers.onLost();
    }
  }

  #isEnded(): boolean {
    return this.#state === "ended";
  }

  #finish(): void {
    this.#state = "ended";
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(1000);
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
