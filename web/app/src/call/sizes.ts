// How large tiles are: plain geometry, no browser.

/** The frame's shape may be cut between these bounds (width by height) to fill the space. */
const WIDEST = 16 / 9;
const NARROWEST_WIDE = 4 / 3;
const NARROWEST_TALL = 3 / 4;

/** The strip beside a large picture: its tiles are this wide, within bounds, as a share of the space. */
const STRIP_SHARE = 0.2;
const STRIP_NARROWEST = 112;
const STRIP_WIDEST = 248;

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Grid extends Size {
  readonly columns: number;
  readonly rows: number;
}

/** The columns for `count` equal tiles which make them largest, and a tile's size in CSS pixels. */
export function gridOf(space: Size, count: number, gap: number): Grid {
  const narrowest = space.height > space.width ? NARROWEST_TALL : NARROWEST_WIDE;
  let best: Grid = { columns: 1, rows: 1, width: 0, height: 0 };
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    const cell = {
      width: (space.width - gap * (columns - 1)) / columns,
      height: (space.height - gap * (rows - 1)) / rows,
    };
    const width = Math.floor(Math.min(cell.width, cell.height * WIDEST));
    const height = Math.floor(Math.min(cell.height, cell.width / narrowest));
    if (width > 0 && height > 0 && width * height > best.width * best.height) {
      best = { columns, rows, width, height };
    }
  }
  return best;
}

export interface Presentation {
  /** Where the strip is: below the large picture where the space is tall, to its right where it is wide. */
  readonly strip: "below" | "right";
  readonly main: Size;
  readonly tile: Size;
}

/**
 * Sizes for `large` pictures, alike, and a strip of `small` others, in CSS pixels. A screen alone may take any shape.
 */
export function presentationOf(
  space: Size,
  small: number,
  gap: number,
  isScreen: boolean,
  large = 1,
): Presentation {
  const tall = space.height > space.width;
  const share = tall ? space.width / 3 : space.width * STRIP_SHARE;
  const width = Math.floor(Math.min(STRIP_WIDEST, Math.max(STRIP_NARROWEST, share)));
  const tile = { width, height: Math.floor(width / WIDEST) };
  const taken = small === 0 ? 0 : gap + (tall ? tile.height : tile.width);
  const left = tall
    ? { width: space.width, height: Math.max(0, space.height - taken) }
    : { width: Math.max(0, space.width - taken), height: space.height };
  const main = isScreen && large === 1 ? left : gridOf(left, large, gap);
  return { strip: tall ? "below" : "right", main: { width: main.width, height: main.height }, tile };
}
