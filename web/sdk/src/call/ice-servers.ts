// The servers that help to find a way to the media node: asked for ahead of their use, and again before they are outdated.
import type { IceServer, IceServers, RoomId } from "../generated/protocol.ts";
import type { Identity } from "./identity.ts";

/** So long before credentials end, others are asked for: in a call, whose network may change at any time, as well. */
const AHEAD_MS = 600_000;
/** Whoever does not get them asks again after so long. */
const AGAIN_MS = 60_000;

export interface IceServerHandlers {
  use(servers: IceServer[]): void;
  /** A node of each region, to measure the way to. */
  measure(probes: IceServers["probes"]): void;
}

export class IceServerSource {
  readonly #identity: Identity;
  readonly #room: RoomId;
  readonly #handlers: IceServerHandlers;
  #until = 0;
  #renewal: ReturnType<typeof setTimeout> | undefined;

  constructor(identity: Identity, room: RoomId, handlers: IceServerHandlers) {
    this.#identity = identity;
    this.#room = room;
    this.#handlers = handlers;
  }

  /** Asks, unless what is known is still good. Without them, connections make do with what they had. */
  async refresh(): Promise<void> {
    if (performance.now() < this.#until) return;
    this.#until = performance.now() + AGAIN_MS;
    try {
      const { iceServers, expiresIn, probes } = await this.#identity.entrance.iceServers(this.#room);
      this.#handlers.measure(probes);
      this.take(iceServers, expiresIn);
    } catch {
      this.#until = 0;
      if (this.#renewal !== undefined) this.#renewIn(AGAIN_MS);
    }
  }

  /** These have come with a join: they are renewed for as long as the call goes on. */
  take(servers: IceServer[], expiresIn: number): void {
    const goodFor = Math.max(expiresIn * 1_000 - AHEAD_MS, AGAIN_MS);
    this.#until = performance.now() + goodFor;
    this.#handlers.use(servers);
    this.#renewIn(goodFor);
  }

  /** The call is over: what is known is good till it is outdated. */
  end(): void {
    clearTimeout(this.#renewal);
    this.#renewal = undefined;
  }

  #renewIn(time: number): void {
    clearTimeout(this.#renewal);
    this.#renewal = setTimeout(() => {
      this.#until = 0;
      void this.refresh();
    }, time);
  }
}
