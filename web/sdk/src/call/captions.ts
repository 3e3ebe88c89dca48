// Captions: what is said, as text, from whoever feeds it to whom it is shown. They go over the media's data channel, and what was missed
// is not told again.
import type {
  Caption,
  CaptionLine,
  CaptionRefusal,
  ClientMediaMessage,
  ParticipantId,
} from "../generated/protocol.ts";
import { type Readable, Store } from "../store.ts";
import { Recognition, type RecognitionStatus } from "./recognition.ts";
import type { Subject } from "./subject.ts";
import { partsOf } from "./text-change.ts";

/** Of any letters this is at most 600 bytes, which is what a node takes. */
const LONGEST = 200;
/** What is not said to its end is told no more often than this. */
const FEED_EVERY_MS = 250;
/** So many are shown, each for as long after its last word. */
const SHOWN = 3;
const SHOWN_FOR_MS = 8_000;
/** That something was not told is said for so long. */
const REFUSED_FOR_MS = 10_000;
/** A language that was not fed for so long is none to choose any more. */
const FED_FOR_MS = 120_000;
/** So many are there to choose at most: those that were fed last. */
const MOST_LANGUAGES = 20;

export interface CaptionsState {
  /** Whether they are shown. */
  readonly on: boolean;
  /** The one language that is shown; null for all. */
  readonly language: string | null;
  /** In which languages they are fed of late. */
  readonly languages: readonly string[];
  /** What is shown now, the newest last. */
  readonly lines: readonly Caption[];
  /** Why what one fed lately was not told to anybody; null if it was. */
  readonly refused: CaptionRefusal | null;
  /** Whether the browser turns one's own speech into captions, and where not, why. */
  readonly recognition: RecognitionStatus;
}

/** What is fed: `final` unless it is said otherwise, by oneself unless a speaker is named. */
export interface Fed {
  readonly text: string;
  readonly language: string;
  readonly final?: boolean;
  readonly speaker?: ParticipantId;
  /** The caption that it takes the place of: what `feed` has returned. */
  readonly id?: number;
}

export type CaptionListener = (caption: Caption) => void;

/** The captions of a call, as a page uses them: `call.captions`. */
export class Captions implements Subject {
  readonly #tell: (message: ClientMediaMessage) => void;
  readonly #you: () => ParticipantId | null;
  readonly #state: Store<CaptionsState>;
  readonly #recognition: Recognition;
  readonly #listeners = new Set<CaptionListener>();
  /** What is shown, with the time of its last word. */
  #shown: readonly { readonly caption: Caption; readonly at: number }[] = [];
  readonly #fedAt = new Map<string, number>();
  #next = 1;
  #toldAt = Number.NEGATIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #forgiving: ReturnType<typeof setTimeout> | undefined;

  constructor(tell: (message: ClientMediaMessage) => void, you: () => ParticipantId | null) {
    this.#tell = tell;
    this.#you = you;
    this.#recognition = new Recognition({
      onHeard: (fed) => this.feed(fed),
      onStatus: (recognition) => this.#state.patch({ recognition }),
    });
    const { status: recognition } = this.#recognition;
    this.#state = new Store<CaptionsState>({
      on: false,
      language: null,
      languages: [],
      lines: [],
      refused: null,
      recognition,
    });
  }

  get state(): Readable<CaptionsState> {
    return this.#state;
  }

  /** Has captions shown, or no more. */
  show(on: boolean): void {
    this.#state.patch({ on });
    this.#tell({ type: "showCaptions", on });
    if (!on) this.#shown = [];
    this.#look();
  }

  /** Shows this language alone, or all. */
  choose(language: string | null): void {
    this.#state.patch({ language });
    this.#look();
  }

  /** Hears every caption that comes while they are shown, until the function that is returned is called. */
  on(listener: CaptionListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Feeds what is said. Returns the number under which more of the same may follow. What the node does not pass on, `refused` tells of.
   */
  feed({ text, language, final = true, speaker, id = this.#next }: Fed): number {
    this.#next = Math.max(this.#next, id + 1);
    const now = performance.now();
    if (!final && now - this.#toldAt < FEED_EVERY_MS) return id;
    this.#toldAt = now;
    const parts = linesOf(text.trim());
    // Of what goes on, the end is what is read.
    const told = final ? parts : parts.slice(-1);
    for (const [place, part] of told.entries()) {
      const number = place === 0 ? id : this.#next++;
      const line: CaptionLine = { id: number, speaker: speaker ?? null, language, text: part, final };
      this.#tell({ type: "feedCaption", ...line });
      const by = this.#you();
      if (this.#state.get().on && by !== null) this.heard({ by, ...line });
    }
    return id;
  }

  /** Has the browser turn one's own speech into captions. It may send the sound to its maker: ask before. */
  recognize(language: string): void {
    this.#recognition.start(language);
  }

  readonly stopRecognizing = (): void => this.#recognition.stop();

  /** For the call: whether one is heard. Who is muted is not written down, either. */
  hears(on: boolean): void {
    this.#recognition.hears(on);
  }

  /** For the call: there is a connection to a node, which knows nothing of this client yet. */
  again(): void {
    if (this.#state.get().on) this.#tell({ type: "showCaptions", on: true });
  }

  /** For the call: somebody says something. */
  heard(caption: Caption): void {
    const now = performance.now();
    this.#isFed(caption.language, now);
    const others = this.#shown.filter(({ caption: { by, id } }) => by !== caption.by || id !== caption.id);
    const place = this.#shown.findIndex(({ caption: { by, id } }) => by === caption.by && id === caption.id);
    // It stays where it is while it is said.
    this.#shown = others.toSpliced(place < 0 ? others.length : place, 0, { caption, at: now });
    for (const listener of this.#listeners) listener(caption);
    this.#look();
  }

  /** For the call: the node does not pass on what was fed. */
  notTold(refused: CaptionRefusal): void {
    clearTimeout(this.#forgiving);
    this.#state.patch({ refused });
    this.#forgiving = setTimeout(() => this.#state.patch({ refused: null }), REFUSED_FOR_MS);
  }

  end(): void {
    this.#recognition.stop();
    clearTimeout(this.#timer);
    clearTimeout(this.#forgiving);
    this.#shown = [];
    this.#fedAt.clear();
    this.#state.patch({ on: false, lines: [], languages: [], refused: null });
  }

  /** Remembers the language, as the last in order of time. */
  #isFed(language: string, now: number): void {
    this.#fedAt.delete(language);
    this.#fedAt.set(language, now);
    const [oldest] = this.#fedAt.keys();
    if (this.#fedAt.size > MOST_LANGUAGES && oldest !== undefined) this.#fedAt.delete(oldest);
  }

  #look(): void {
    clearTimeout(this.#timer);
    const now = performance.now();
    this.#shown = this.#shown.filter(({ at }) => now - at < SHOWN_FOR_MS).slice(-SHOWN * 4);
    for (const [language, at] of this.#fedAt) if (now - at > FED_FOR_MS) this.#fedAt.delete(language);
    const { language } = this.#state.get();
    const chosen = this.#shown.filter(({ caption }) => language === null || caption.language === language);
    this.#state.patch({
      lines: chosen.slice(-SHOWN).map(({ caption }) => caption),
      languages: [...this.#fedAt.keys()].sort(),
    });
    const [first] = this.#shown.map(({ at }) => at).sort((a, b) => a - b);
    if (first !== undefined) this.#timer = setTimeout(() => this.#look(), first + SHOWN_FOR_MS - now);
  }
}

/** A text in parts that a node takes, between words where there are any. */
function linesOf(text: string): string[] {
  if (text.length <= LONGEST) return text === "" ? [] : [text];
  const [part = ""] = partsOf(text, LONGEST);
  const blank = part.lastIndexOf(" ");
  const end = blank > 0 ? blank : part.length;
  return [text.slice(0, end), ...linesOf(text.slice(end).trim())];
}
