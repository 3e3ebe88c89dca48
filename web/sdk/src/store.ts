// An observable value: state lives here, outside of any user interface.

/** A value that can be read at any time and tells when it is replaced. Fits React's `useSyncExternalStore`. */
export interface Readable<T> {
  /** The value now. It is immutable: a change is a new object. */
  readonly get: () => T;
  /** Calls `listener` after each change until the returned function is called. */
  readonly subscribe: (listener: () => void) => () => void;
}

/** A {@link Readable} that its owner writes. */
export class Store<T> implements Readable<T> {
  #value: T;
  readonly #listeners = new Set<() => void>();
  readonly #schedule: (tell: () => void) => void;
  #telling = false;

  /** `schedule` says when listeners are told; changes until then are told at once. Without it they are told now. */
  constructor(value: T, schedule: (tell: () => void) => void = (tell) => tell()) {
    this.#value = value;
    this.#schedule = schedule;
  }

  readonly get = (): T => this.#value;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Replaces the value; the same object again is no change. */
  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    if (this.#telling) return;
    this.#telling = true;
    this.#schedule(() => {
      this.#telling = false;
      for (const listener of [...this.#listeners]) listener();
    });
  }

  /** Replaces some fields of an object value. */
  patch(fields: Partial<T>): void {
    this.set({ ...this.#value, ...fields });
  }
}

/**
 * Whether two values agree in every field of the first. To be asked of the one that was made here: what came over the wire may
 * have fields of a later release.
 */
export function isSame<T extends object>(a: T, b: T): boolean {
  return (Object.keys(a) as (keyof T)[]).every((key) => a[key] === b[key]);
}

/**
 * Runs this in a task of its own, after what has arrived already. Unlike a timer, such a task is neither delayed nor
 * throttled in a hidden page.
 */
export function inTask(run: () => void): void {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    run();
  };
  port2.postMessage(null);
}
