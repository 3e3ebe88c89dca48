// Who is shown where: plain geometry, no browser.
import type { Participant, ParticipantId, Source, TrackId } from "@connect/sdk";

/** The frame's shape may be cut between these bounds (width by height) to fill the space. */
const WIDEST = 16 / 9;
const NARROWEST_WIDE = 4 / 3;
const NARROWEST_TALL = 3 / 4;

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

/** A picture of somebody, or of a screen. */
export interface TileModel extends TrackId {
  readonly person: Participant;
  readonly isYou: boolean;
}

/** What the stage shows. */
export interface Stage {
  readonly grid: readonly TileModel[];
  /** Shown small in a corner: yourself, in a conversation of two. */
  readonly corner: TileModel | null;
  /** People for whom there is no room. */
  readonly hidden: number;
}

/** Arranges people for a stage that has room for `capacity` others. Screens come first, you come last. */
export function stageOf(people: readonly Participant[], you: ParticipantId | null, capacity: number): Stage {
  const tile = (person: Participant, source: Source): TileModel => ({
    person,
    participant: person.id,
    source,
    isYou: person.id === you,
  });
  const self = people.find(({ id }) => id === you);
  const others = people.filter(({ id }) => id !== you);
  const wanted = [
    ...others.filter(({ publishing }) => publishing.screen).map((person) => tile(person, "screen")),
    ...others.map((person) => tile(person, "camera")),
  ];
  const shown = wanted.slice(0, capacity);
  const mine = self === undefined ? [] : [tile(self, "camera")];
  const hidden = wanted.length - shown.length;
  if (shown.length === 1) return { grid: shown, corner: mine[0] ?? null, hidden };
  return { grid: [...shown, ...mine], corner: null, hidden };
}

/** Two letters at most to stand for a name. */
export function initialsOf(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const picked = words.length > 1 ? [words[0], words.at(-1)] : words;
  return picked.map((word) => [...(word ?? "")][0]?.toLocaleUpperCase() ?? "").join("") || "?";
}

/** One of `count` tints, the same for a participant everywhere. */
export function tintOf(id: string, count: number): number {
  const hash = [...id].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 65_521, 7);
  return hash % count;
}
