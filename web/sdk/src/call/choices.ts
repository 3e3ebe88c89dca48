// Which devices the person has chosen: remembered from visit to visit, where there is a place for it.

/** Such a place: `localStorage` fits. */
export interface ChoiceStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

export type ChoosableDevice = "microphone" | "camera" | "speaker";

/** A browser's id of a device has 64 characters; whatever is much longer is none. */
const LONGEST_ID = 512;

export class Choices {
  readonly #storage: ChoiceStorage | null;

  constructor(storage: ChoiceStorage | null = null) {
    this.#storage = storage;
  }

  /** The chosen device's id; null for the browser's choice. */
  get(name: ChoosableDevice): string | null {
    try {
      const id = this.#storage?.getItem(keyOf(name)) ?? null;
      return id !== null && id.length <= LONGEST_ID ? id : null;
    } catch {
      // A browser that stores nothing, as in some private windows, forgets: no harm.
      return null;
    }
  }

  set(name: ChoosableDevice, id: string | null): void {
    if (id === this.get(name)) return;
    try {
      if (id === null) this.#storage?.removeItem(keyOf(name));
      else this.#storage?.setItem(keyOf(name), id);
    } catch {
      // As above.
    }
  }
}

function keyOf(name: ChoosableDevice): string {
  return `connect:${name}`;
}
