// What the page shows now: the tiles report to here, and the node hears of it, once for many changes.
import type { ParticipantId, Tile, TrackId } from "../generated/protocol.ts";
import { type TrackKey, trackKey } from "./track.ts";

/** Changes within this time are told together: a new layout moves every tile. */
const SETTLE_MS = 60;

/** What is hidden may be back in a moment, at another place of the page: its slot is kept for so long. */
const LINGER_MS = 300;
/** By this much the tiles of who is in the spotlight matter more than all others. */
const PREFERRED = 128;
const MOST = 255;
/** While sizes go on changing, as when a window is dragged larger, they are told this often. */
const APART_MS = 200;

/** The tiles on the screen. */
export class View {
  readonly #tiles = new Map<TrackKey, Tile>();
  readonly #tell: (tiles: Tile[]) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #due = Number.POSITIVE_INFINITY;
  #toldAt = Number.NEGATIVE_INFINITY;
  #hidden = false;
  #preferred: ReadonlySet<ParticipantId> = new Set();
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
    this.#settle(SETTLE_MS);
  }

  /** A tile is gone, or off the screen. */
  hide(track: TrackId): void {
    if (this.#tiles.delete(trackKey(track))) this.#settle(LINGER_MS);
  }

  /** These participants' tiles matter more than all others, whatever the page says of them. */
  prefer(participants: readonly ParticipantId[]): void {
    const before = this.#preferred;
    this.#preferred = new Set(participants);
    const isSame = before.size === this.#preferred.size && participants.every((id) => before.has(id));
    if (!isSame) this.#settle(SETTLE_MS);
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
    this.#clearTimer();
    this.#tiles.clear();
  }

  #settle(afterMs: number): void {
    const now = performance.now();
    const due = Math.max(now + afterMs, this.#toldAt + APART_MS);
    if (due >= this.#due) return;
    this.#clearTimer();
    this.#due = due;
    this.#timer = setTimeout(() => this.#flush(), due - now);
  }

  #clearTimer(): void {
    clearTimeout(this.#timer);
    this.#due = Number.POSITIVE_INFINITY;
  }

  #ranked(tile: Tile): Tile {
    if (!this.#preferred.has(tile.track.participant)) return tile;
    return { ...tile, priority: Math.min(MOST, tile.priority + PREFERRED) };
  }

  #flush(): void {
    this.#clearTimer();
    const tiles = this.#hidden ? [] : [...this.#tiles.values()].map((tile) => this.#ranked(tile));
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
