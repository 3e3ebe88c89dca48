// One's own speech as text, by the browser where it can (Web Speech API). Where the sound goes is the browser's business: some send it
// to their maker. So nothing begins before it is asked for.

/** After how long it begins again when the browser has ended it, as it does in a silence. */
const AGAIN_AFTER_MS = 300;

/** It goes on unless the browser says one of these. */
const FOR_GOOD: Record<string, string> = {
  "not-allowed": "The browser does not allow it.",
  "service-not-allowed": "The browser does not allow it.",
  "audio-capture": "No microphone was found.",
  "language-not-supported": "The browser does not know this language.",
  network: "What the browser recognizes speech with cannot be reached.",
};

export type RecognitionStatus =
  /** This browser cannot. */
  | { readonly name: "none" }
  | { readonly name: "off"; readonly problem: string | null }
  | { readonly name: "on"; readonly language: string };

/** What was heard: again and again until it is final, under the number that the first time has brought. */
interface Heard {
  readonly id?: number;
  readonly text: string;
  readonly language: string;
  readonly final: boolean;
}

interface RecognitionHandlers {
  onHeard(heard: Heard): number;
  onStatus(status: RecognitionStatus): void;
}

/** The part of the browser's that is used; TypeScript's library does not have it. */
interface Recognizer {
  lang: string;
  continuous: boolean;
  interimResults: boolean;
  onresult: ((event: ResultEvent) => void) | null;
  onerror: ((event: { readonly error: string }) => void) | null;
  onend: (() => void) | null;
  start(): void;
  abort(): void;
}

interface ResultEvent {
  readonly resultIndex: number;
  readonly results: ArrayLike<ArrayLike<{ readonly transcript: string }> & { readonly isFinal: boolean }>;
}

type RecognizerType = new () => Recognizer;

function recognizer(): RecognizerType | undefined {
  const names = globalThis as {
    SpeechRecognition?: RecognizerType;
    webkitSpeechRecognition?: RecognizerType;
  };
  return names.SpeechRecognition ?? names.webkitSpeechRecognition;
}

export class Recognition {
  readonly #handlers: RecognitionHandlers;
  #status: RecognitionStatus;
  #recognizer: Recognizer | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isHeard = false;

  constructor(handlers: RecognitionHandlers) {
    this.#handlers = handlers;
    this.#status = recognizer() === undefined ? { name: "none" } : { name: "off", problem: null };
  }

  get status(): RecognitionStatus {
    return this.#status;
  }

  start(language: string): void {
    const Type = recognizer();
    if (Type === undefined) return;
    this.#drop();
    this.#is({ name: "on", language });
    if (this.#isHeard) this.#listen(new Type(), language);
  }

  /** Whether one's microphone is on: while it is not, nothing is listened to. */
  hears(on: boolean): void {
    if (on === this.#isHeard) return;
    this.#isHeard = on;
    this.#drop();
    if (this.#status.name === "on") this.start(this.#status.language);
  }

  stop(): void {
    this.#drop();
    if (this.#status.name === "on") this.#is({ name: "off", problem: null });
  }

  #listen(recognizer: Recognizer, language: string): void {
    this.#recognizer = recognizer;
    /** The numbers of what is being said, by its place in what the browser tells. */
    const ids = new Map<number, number>();
    recognizer.lang = language;
    recognizer.continuous = true;
    recognizer.interimResults = true;
    recognizer.onresult = ({ resultIndex, results }) => {
      for (let place = resultIndex; place < results.length; place++) {
        const result = results[place];
        const text = result?.[0]?.transcript ?? "";
        if (result === undefined || text.trim() === "") continue;
        const id = ids.get(place);
        const heard = { text, language, final: result.isFinal };
        ids.set(place, this.#handlers.onHeard(id === undefined ? heard : { ...heard, id }));
      }
    };
    recognizer.onerror = ({ error }) => {
      const problem = FOR_GOOD[error];
      if (problem === undefined || this.#recognizer !== recognizer) return;
      this.#drop();
      this.#is({ name: "off", problem });
    };
    recognizer.onend = () => {
      if (this.#recognizer !== recognizer) return;
      this.#timer = setTimeout(() => this.start(language), AGAIN_AFTER_MS);
    };
    recognizer.start();
  }

  #drop(): void {
    clearTimeout(this.#timer);
    this.#recognizer?.abort();
    this.#recognizer = null;
  }

  #is(status: RecognitionStatus): void {
    this.#status = status;
    this.#handlers.onStatus(status);
  }
}
