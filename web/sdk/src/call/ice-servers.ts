// The servers that help to find a way to the media node: asked for ahead of their use, and again before they are outdated.
import type { IceServer } from "../generated/protocol.ts";
import type { Identity } from "./identity.ts";

/** Credentials are good for longer than this and a call together. */
const GOOD_FOR_MS = 3_600_000;

export class IceServerSource {
  readonly #identity: Identity;
  readonly #use: (servers: IceServer[]) => void;
  #until = 0;

  constructor(identity: Identity, use: (servers: IceServer[]) => void) {
    this.#identity = identity;
    this.#use = use;
  }

  /** Asks, unless what is known is still good. Without them, connections make do with what they had. */
  async refresh(): Promise<void> {
    if (performance.now() < this.#until) return;
    this.#until = performance.now() + GOOD_FOR_MS;
    try {
      this.#use(await this.#identity.entrance.iceServers());
    } catch {
      this.#until = 0;
    }
  }
}
