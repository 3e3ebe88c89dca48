// A little world of microphones and cameras: they open at once or late, are refused, unplugged, and muted by the system.

export type Kind = "audio" | "video";

/** A track of one device. */
export class FakeTrack {
  readyState: "live" | "ended" = "live";
  enabled = true;
  muted = false;
  contentHint = "";
  onended: (() => void) | null = null;
  onmute: (() => void) | null = null;
  onunmute: (() => void) | null = null;
  constructor(
    readonly kind: Kind,
    readonly device: string,
    readonly facingMode?: string,
  ) {}
  getSettings(): MediaTrackSettings {
    return {
      deviceId: this.device,
      ...(this.facingMode === undefined ? {} : { facingMode: this.facingMode }),
    };
  }
  stop(): void {
    this.readyState = "ended";
  }
  /** Its device is gone. */
  end(): void {
    if (this.readyState === "ended") return;
    this.stop();
    this.onended?.();
  }
  /** The system takes the device for itself, or gives it back. */
  mute(muted: boolean): void {
    this.muted = muted;
    if (this.readyState === "live") (muted ? this.onmute : this.onunmute)?.();
  }
  /** Something of the person leaves this track. */
  get captures(): boolean {
    return this.readyState === "live" && this.enabled;
  }
}

interface Pending {
  readonly constraints: MediaStreamConstraints;
  readonly answer: (refuse: string | null) => void;
}

/** The devices that are plugged in, and what is asked of them. */
export class FakeDevices {
  /** The ids by kind; the first one is the browser's choice. */
  readonly present: Record<Kind, string[]> = { audio: ["mic 1", "mic 2"], video: ["cam 1", "cam 2"] };
  /** Kinds or ids that reject with the named error. */
  readonly refuse = new Map<string, string>();
  /** Which way a camera looks: a phone has one open at a time. */
  readonly facing = new Map<string, string>();
  /** Everything that was opened. */
  readonly opened: FakeTrack[] = [];
  readonly asked: MediaStreamConstraints[] = [];
  /** Requests that wait until they are answered; null to answer at once. */
  pending: Pending[] | null = null;
  /** The dialog that asks what to share, while it is open. */
  dialog: ((refuse: string | null) => void) | null = null;
  /** Screens that were shared. */
  readonly shared: FakeTrack[] = [];
  #listeners = new Set<() => void>();

  get media(): MediaDevices {
    return this as unknown as MediaDevices;
  }
  addEventListener = (_: string, listener: () => void) => this.#listeners.add(listener);
  removeEventListener = (_: string, listener: () => void) => this.#listeners.delete(listener);
  enumerateDevices = async () =>
    (["audio", "video"] as const).flatMap((kind) =>
      this.present[kind].map((deviceId) => ({ kind: `${kind}input`, deviceId, label: deviceId })),
    );
  getUserMedia = (constraints: MediaStreamConstraints): Promise<MediaStream> => {
    this.asked.push(constraints);
    return new Promise((resolve, reject) => {
      const answer = (refuse: string | null) => {
        try {
          if (refuse !== null) throw new DOMException("refused", refuse);
          resolve(this.#open(constraints));
        } catch (error) {
          reject(error);
        }
      };
      if (this.pending === null) answer(null);
      else this.pending.push({ constraints, answer });
    });
  };

  getSupportedConstraints = () => ({});
  getDisplayMedia = (): Promise<MediaStream> =>
    new Promise((resolve, reject) => {
      this.dialog = (refuse) => {
        this.dialog = null;
        if (refuse !== null) return reject(new DOMException("refused", refuse));
        const track = new FakeTrack("video", "screen");
        this.shared.push(track);
        resolve({ getVideoTracks: () => [track], getAudioTracks: () => [] } as unknown as MediaStream);
      };
    });

  plug(kind: Kind, id: string): void {
    if (!this.present[kind].includes(id)) this.present[kind].push(id);
    this.#change();
  }
  unplug(id: string): void {
    for (const kind of ["audio", "video"] as const)
      this.present[kind] = this.present[kind].filter((one) => one !== id);
    for (const track of this.opened) if (track.device === id) track.end();
    this.#change();
  }
  /** The tracks of a kind that capture something. */
  capturing(kind: Kind): FakeTrack[] {
    return this.opened.filter((track) => track.kind === kind && track.captures);
  }

  #change(): void {
    for (const listener of [...this.#listeners]) listener();
  }
  #open(constraints: MediaStreamConstraints): MediaStream {
    const kinds = (["audio", "video"] as const).filter((kind) => constraints[kind] !== undefined);
    const tracks = kinds.map((kind) => this.#track(kind, constraints[kind] as MediaTrackConstraints));
    this.opened.push(...tracks);
    return { getTracks: () => tracks } as unknown as MediaStream;
  }
  #track(kind: Kind, { deviceId, facingMode }: MediaTrackConstraints): FakeTrack {
    const wanted = (deviceId as ConstrainDOMStringParameters | undefined)?.exact as string | undefined;
    const side = (facingMode as ConstrainDOMStringParameters | undefined)?.exact as string | undefined;
    const id = this.present[kind].find(
      (one) => (wanted ?? one) === one && (side ?? this.facing.get(one)) === this.facing.get(one),
    );
    const refused = this.refuse.get(kind) ?? this.refuse.get(id ?? "");
    if (refused !== undefined) throw new DOMException(kind, refused);
    if (id === undefined)
      throw new DOMException(kind, wanted === undefined ? "NotFoundError" : "OverconstrainedError");
    const busy = this.facing.size > 0 && this.capturing("video").length > 0;
    if (kind === "video" && busy) throw new DOMException(kind, "NotReadableError");
    return new FakeTrack(kind, id, this.facing.get(id));
  }
}

/** A place to remember choices in. */
export function fakeStorage() {
  const kept = new Map<string, string>();
  return {
    kept,
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  };
}
