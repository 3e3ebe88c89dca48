// What this client publishes: what its devices capture is sent, and others are told of it, until all sides agree.
import type { Caps, Codec, Participant, Publishing, Source } from "../generated/protocol.ts";
import { isSame } from "../store.ts";
import type { LocalMedia } from "./local-media.ts";
import type { LocalScreen } from "./local-screen.ts";
import type { Refusal } from "./signaling.ts";

/** A word that the room neither takes nor refuses within this time is told again, and then after twice the time each. */
const AGREED_WITHIN_MS = 5_000;
const LONGEST_MS = 60_000;

/** What the room takes somebody to publish who has just come. */
const NOTHING: Publishing = { microphone: false, camera: false, screen: false, codec: null };

export interface PublisherHandlers {
  /** Sends this track of a source from now on. */
  send(source: Source, track: MediaStreamTrack | null): void;
  /** Tells the room, and says whether it could be told. */
  tell(publishing: Publishing): boolean;
}

/** Follows the devices. */
export class Publisher {
  readonly #local: LocalMedia;
  readonly #screen: LocalScreen;
  readonly #handlers: PublisherHandlers;
  readonly #unsubscribe: readonly (() => void)[];
  #codec: Codec | null = null;
  /** What the room tells others; null while that is not known, and nothing can be told. */
  #known: Publishing | null = null;
  /** What the room was told and has not taken yet. One word at a time: so what is known in the end is the last one. */
  #pending: Publishing | null = null;
  #tries = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(local: LocalMedia, screen: LocalScreen, handlers: PublisherHandlers) {
    this.#local = local;
    this.#screen = screen;
    this.#handlers = handlers;
    this.#unsubscribe = [local.state, screen.state].map((state) => state.subscribe(() => this.#publish()));
  }

  /** The codec of the video that is sent. */
  codecIs(codec: Codec | null): void {
    this.#codec = codec;
    this.#publish();
  }

  /** The room listens to somebody whom it has not heard before. */
  enter(): void {
    this.#learn(NOTHING);
  }

  /** A message was refused; if it was what others are to be told, it is told again. */
  refused({ of, code, retryAfterMs }: Refusal): void {
    const isOurs = of === "publishing" || (of === null && code === "rateLimited");
    if (isOurs && this.#pending !== null) this.#tellAgainAfter(retryAfterMs ?? AGREED_WITHIN_MS);
  }

  /** The room cannot be told anything; what it knows is learned when it is back. */
  lost(): void {
    this.#agree();
    this.#known = null;
  }

  /** Takes the room's word on this client: what others are told, and what it may send. */
  obey({ publishing, caps }: Participant): void {
    this.#allow(caps);
    this.#learn(publishing);
  }

  /** The call is over: nothing is captured any more. The wishes hold for the next one; what a moderator forbade does not. */
  leave(): void {
    this.lost();
    this.#screen.stop();
    this.#local.release();
    this.#allow({ audio: true, video: true, screen: true });
  }

  /** Follows the devices no more. */
  end(): void {
    this.lost();
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
  }

  /** What is forbidden goes off: the node would send it to nobody, and who is muted should see that. */
  #allow({ audio, video, screen }: Pick<Caps, "audio" | "video" | "screen">): void {
    this.#local.allow("microphone", audio);
    this.#local.allow("camera", video);
    this.#screen.allow(screen && video);
  }

  #learn(known: Publishing): void {
    if (this.#pending !== null && isSame(this.#pending, known)) this.#agree();
    this.#known = known;
    this.#publish();
  }

  #publish(): void {
    const { microphone, camera } = this.#local.state.get();
    const { video, audio } = this.#screen.state.get();
    this.#handlers.send("microphone", microphone.on ? microphone.track : null);
    this.#handlers.send("camera", camera.on ? camera.track : null);
    this.#handlers.send("screen", video);
    this.#handlers.send("screenAudio", audio);
    const codec = camera.on || video !== null ? this.#codec : null;
    this.#tell({ microphone: microphone.on, camera: camera.on, screen: video !== null, codec });
  }

  /** The room hears only of what it does not know. */
  #tell(publishing: Publishing): void {
    if (this.#known === null || this.#pending !== null || isSame(publishing, this.#known)) return;
    if (!this.#handlers.tell(publishing)) return;
    this.#pending = publishing;
    this.#tellAgainAfter(Math.min(AGREED_WITHIN_MS * 2 ** this.#tries, LONGEST_MS));
    this.#tries += 1;
  }

  #tellAgainAfter(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#pending = null;
      this.#publish();
    }, ms);
  }

  #agree(): void {
    clearTimeout(this.#timer);
    this.#pending = null;
    this.#tries = 0;
  }
}
