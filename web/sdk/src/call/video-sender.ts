// A sender of video: its track, and the layers that somebody watches (dynacast). Changes run one after the other.
import { activeLayers, cameraScales, sentLayers } from "./encodings.ts";

/** What `setParameters` is to bring about. */
interface Wanted {
  readonly layers: readonly boolean[];
  /** The short side of the picture in pixels, if it is known. */
  readonly side: number | undefined;
}

/** A camera's or a screen's sender. */
export class VideoSender {
  readonly #sender: RTCRtpSender;
  /** Whether layers differ in size; a screen's do not. */
  readonly #scaled: boolean;
  /** What is sent before anything is known. */
  readonly #first: readonly boolean[];
  #wanted: Wanted;
  /** The track that it was last asked to send. */
  #track: MediaStreamTrack | null = null;
  #running: Promise<void> | null = null;

  constructor(sender: RTCRtpSender, scaled: boolean) {
    this.#sender = sender;
    this.#scaled = scaled;
    this.#first = sender.getParameters().encodings.map(({ active }) => active ?? true);
    this.#wanted = { layers: this.#first, side: undefined };
  }

  /** Sends another track, or nothing: no negotiation. */
  async replace(track: MediaStreamTrack | null): Promise<void> {
    // By what was asked for last: the sender's own word is late while another replacement waits its turn.
    if (this.#track === track) return;
    this.#track = track;
    await this.#sender.replaceTrack(track);
    const { width, height } = track?.getSettings() ?? {};
    // A phone that is held upright gives a tall picture: its short side tells how much there is to see.
    const side = width === undefined || height === undefined ? undefined : Math.min(width, height);
    await this.#want({ ...this.#wanted, side });
  }

  /** Encodes every layer. */
  async demandAll(): Promise<void> {
    await this.demand(this.#wanted.layers.map(() => true));
  }

  /** Encodes these layers and no others, the lowest first; null means that nothing is known yet. The newest word wins. */
  async demand(layers: readonly boolean[] | null): Promise<void> {
    await this.#want({ ...this.#wanted, layers: layers ?? this.#first });
  }

  /** To be called after each answer: Chromium takes it as a word on the layers, and turns on all of them. */
  async answered(): Promise<void> {
    await this.#want({ ...this.#wanted });
  }

  #want(wanted: Wanted): Promise<void> {
    this.#wanted = wanted;
    // A run that is under way looks again at its end.
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #run(): Promise<void> {
    for (let done: Wanted | null = null; done !== this.#wanted; ) {
      const wanted: Wanted = this.#wanted;
      const parameters = this.#sender.getParameters();
      // Two calls that overlap fail, in every browser: hence one after the other.
      if (this.#apply(parameters.encodings, wanted)) await this.#sender.setParameters(parameters);
      done = wanted;
    }
  }

  /** Changes encodings where they are not as wanted; says whether any was. */
  #apply(encodings: RTCRtpEncodingParameters[], { layers, side }: Wanted): boolean {
    const count = encodings.length;
    const known = this.#scaled ? side : undefined;
    const scales = cameraScales(known, count);
    const active = activeLayers(fill(layers, count), sentLayers(known, count));
    let changed = false;
    for (const [layer, encoding] of encodings.entries()) {
      const scale = scales[layer] ?? 1;
      if (this.#scaled && count > 1 && encoding.scaleResolutionDownBy !== scale) {
        encoding.scaleResolutionDownBy = scale;
        changed = true;
      }
      const on = active[layer] ?? false;
      if ((encoding.active ?? true) !== on) {
        encoding.active = on;
        changed = true;
      }
    }
    return changed;
  }
}

/** As many layers as there are encodings: a node may know of fewer, or of more. */
function fill(layers: readonly boolean[], count: number): boolean[] {
  const filled = Array.from({ length: count }, (_, layer) => layers[layer] ?? false);
  if (layers.slice(count).some(Boolean) && count > 0) filled[count - 1] = true;
  return filled;
}
