// Plays the audio slots, each by a hidden element of its own: through the chosen speaker, and never one's own other page.
import type { ParticipantId } from "../generated/protocol.ts";
import { isSame, type Readable, Store } from "../store.ts";
import { Choices } from "./choices.ts";

export interface AudioOutputState {
  /** The browser does not play now, or has paused: `resume` helps, from a click. */
  readonly blocked: boolean;
  /** Whether this browser lets a page choose the speaker. */
  readonly canChoose: boolean;
  /** The chosen speaker's id; null for the browser's choice. */
  readonly chosen: string | null;
  /** The chosen speaker cannot be used: the browser's choice plays. */
  readonly missing: boolean;
}

/** The voices of the room. */
export class AudioOutput {
  readonly #state: Store<AudioOutputState>;
  readonly #choices: Choices;
  readonly #elements = new Map<MediaStreamTrack, HTMLAudioElement>();
  #voices: ReadonlyMap<MediaStreamTrack, ParticipantId> = new Map();
  #isOwn: (participant: ParticipantId) => boolean = () => false;
  /** The speakers there are; empty while the browser does not say. */
  #speakers: readonly string[] = [];

  constructor(choices = new Choices()) {
    this.#choices = choices;
    const canChoose = typeof globalThis.HTMLMediaElement?.prototype.setSinkId === "function";
    this.#state = new Store<AudioOutputState>({
      blocked: false,
      canChoose,
      chosen: canChoose ? choices.get("speaker") : null,
      missing: false,
    });
  }

  get state(): Readable<AudioOutputState> {
    return this.#state;
  }

  /** Plays these tracks instead of those before; the same ones go on without a gap. */
  play(tracks: readonly MediaStreamTrack[]): void {
    const known = [...this.#elements.keys()];
    if (tracks.length === known.length && tracks.every((track, i) => track === known[i])) return;
    this.end();
    globalThis.document.addEventListener("visibilitychange", this.#visible);
    for (const track of tracks) this.#add(track);
    this.#mute();
    this.#route();
  }

  /** Whose sound each track carries now. */
  carry(voices: ReadonlyMap<MediaStreamTrack, ParticipantId>): void {
    this.#voices = voices;
    this.#mute();
  }

  /** Who is the person that listens, on another page or device: what they say there is heard in the room itself. */
  silence(isOwn: (participant: ParticipantId) => boolean): void {
    this.#isOwn = isOwn;
    this.#mute();
  }

  /** Plays through another speaker from now on; null for the browser's choice. */
  choose(deviceId: string | null): void {
    if (!this.#state.get().canChoose) return;
    this.#choices.set("speaker", deviceId);
    this.#patch({ chosen: deviceId, missing: false });
    this.#route();
  }

  /** These devices are there now: a speaker that is gone gives way to the browser's choice until it is back. */
  listed(devices: readonly MediaDeviceInfo[]): void {
    const speakers = devices.filter(({ kind, deviceId }) => kind === "audiooutput" && deviceId !== "");
    const ids = speakers.map(({ deviceId }) => deviceId);
    if (ids.join() === this.#speakers.join()) return;
    this.#speakers = ids;
    this.#patch({ missing: false });
    this.#route();
  }

  /** Plays what the browser did not: to be called from a click, which lets it. */
  async resume(): Promise<void> {
    const paused = [...this.#elements.values()].filter((element) => element.paused);
    // A refusal shows in `blocked`.
    await Promise.all(paused.map((element) => element.play().catch(() => {})));
    this.#look();
  }

  end(): void {
    globalThis.document?.removeEventListener("visibilitychange", this.#visible);
    for (const element of this.#elements.values()) {
      element.onpause = element.onplay = null;
      element.srcObject = null;
      element.remove();
    }
    this.#elements.clear();
    this.#look();
  }

  #add(track: MediaStreamTrack): void {
    const element = document.createElement("audio");
    element.hidden = true;
    element.autoplay = true;
    element.srcObject = new MediaStream([track]);
    document.body.append(element);
    this.#elements.set(track, element);
    element.onpause = element.onplay = () => this.#look();
    element.play().catch(() => this.#look());
  }

  #mute(): void {
    for (const [track, element] of this.#elements) {
      const voice = this.#voices.get(track);
      element.muted = voice !== undefined && this.#isOwn(voice);
    }
  }

  /** Sends the sound to the chosen speaker if it is there, and to the browser's choice if it is not. */
  #route(): void {
    const { canChoose, chosen } = this.#state.get();
    if (!canChoose) return;
    const isThere = chosen === null || this.#speakers.length === 0 || this.#speakers.includes(chosen);
    if (!isThere) this.#patch({ missing: true });
    const sink = this.#state.get().missing ? "" : (chosen ?? "");
    for (const element of this.#elements.values()) {
      if (element.sinkId === sink) continue;
      // Another one may have been chosen meanwhile.
      element.setSinkId(sink).then(
        () => this.#route(),
        () => this.#refused(sink),
      );
    }
  }

  #refused(sink: string): void {
    if (sink === "" || sink !== this.#state.get().chosen || this.#state.get().missing) return;
    this.#patch({ missing: true });
    this.#route();
  }

  #look(): void {
    // What has ended is over: it waits for another track, not for a click.
    const playing = [...this.#elements].filter(([track]) => track.readyState === "live");
    this.#patch({ blocked: playing.some(([, element]) => element.paused) });
  }

  #patch(fields: Partial<AudioOutputState>): void {
    const before = this.#state.get();
    const after = { ...before, ...fields };
    if (!isSame(after, before)) this.#state.set(after);
  }

  /** What the system has paused meanwhile, as for a phone call, goes on when the page is back. */
  readonly #visible = (): void => {
    if (document.visibilityState === "visible") void this.resume();
  };
}
