// What the page shows now: the tiles report to here, and the node hears of it, once for many changes.
import type { Tile, TrackId } from "../generated/protocol.ts";
import { type TrackKey, trackKey } from "./track.ts";

/** Changes within this time are told together: a new layout moves every tile. */
const SETTLE_MS = 60;

/** While sizes go on changing, as when a window is dragged larger, they are told this often. */
const APART_MS = 200;

/** The tiles on the screen. */
export class View {
  readonly #tiles = new Map<TrackKey, Tile>();
  readonly #tell: (tiles: Tile[]) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #toldAt = Number.NEGATIVE_INFINITY;
  #hidden = false;
  /** What the node knows; nothing at first, which is not the same as an empty view. */
  #told: string | undefined;

  constructor(tell: (tiles: Tile[]) => void) {
    this.#tell = tell;
  }

  /** A tile is visible with this size in device pixels. Larger `priority` matters more (0 to 255). */
  show(track: TrackId, width: number, height: number, priority = 0): void {
    if (width < 1 || height < 1) return this.hide(track);
    this.#tiles.set(trackKey(track), {
      track: { participant: track.participant, source: track.source },
      width: pixels(width),
      height: pixels(height),
      priority,
    });
    this.#settle();
  }

  /** A tile is gone, or off the screen. */
  hide(track: TrackId): void {
    if (this.#tiles.delete(trackKey(track))) this.#settle();
  }

  /** A page that nobody sees shows nothing, whatever tiles it has. */
  hidePage(hidden: boolean): void {
    this.#hidden = hidden;
    this.#flush();
  }

  /** Tells everything now, even that nothing is visible: to a node that knows nothing yet, and so sends everybody. */
  tellAll(): void {
    this.#told = undefined;
    this.#flush();
  }

  /** Stops; nothing is told any more. */
  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#tiles.clear();
  }

  #settle(): void {
    const wait = Math.max(SETTLE_MS, this.#toldAt + APART_MS - performance.now());
    this.#timer ??= setTimeout(() => this.#flush(), wait);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const tiles = this.#hidden ? [] : [...this.#tiles.values()];
    const text = JSON.stringify(tiles);
    if (text === this.#told) return;
    this.#told = text;
    this.#toldAt = performance.now();
    this.#tell(tiles);
  }
}

/** Sizes travel as whole numbers of 16 bits. */
function pixels(size: number): number {
  return Math.min(65_535, Math.round(size));
}
