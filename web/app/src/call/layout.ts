// Who is shown, and how: no browser, no geometry.
import type { Participant, ParticipantId, Source, TrackId } from "@connect/sdk";
import { type TrackKey, trackKey } from "@connect/sdk/call";

/** A picture of somebody, or of a screen. */
export interface TileModel extends TrackId {
  readonly key: TrackKey;
  readonly person: Participant;
  readonly isYou: boolean;
  /** How much its video matters on a narrow path: larger matters more. */
  readonly priority: number;
}

/** Everybody alike. You are small in a corner when there is one other person. */
export interface GridLayout {
  readonly kind: "grid";
  readonly tiles: readonly TileModel[];
  readonly corner: TileModel | null;
  /** Pictures for which there is no room. */
  readonly hidden: number;
}

/** One large, or the several in the spotlight, the others in a strip. */
export interface PresentationLayout {
  readonly kind: "presentation";
  readonly mains: readonly TileModel[];
  readonly strip: readonly TileModel[];
  readonly hidden: number;
}

export type Layout = GridLayout | PresentationLayout;

/** What decides on a layout. */
export interface Scene {
  readonly people: readonly Participant[];
  readonly you: ParticipantId | null;
  /** How many others' pictures can be shown at once. */
  readonly capacity: number;
  /** What the user wants large; null for nothing, and void once it is gone. */
  readonly pinned: TrackKey | null;
  /** Whom who keeps order wants large for everybody, the first first. */
  readonly spotlit: readonly ParticipantId[];
  /** Who speaks is large. */
  readonly spotlight: boolean;
  /** Who speaks now. */
  readonly speakers: readonly ParticipantId[];
  /** Who has spoken, the latest first. */
  readonly spoke: readonly ParticipantId[];
}

const PRIORITY = { screen: 3, pinned: 2, speaker: 1, other: 0 } as const;

/** Arranges a scene: what is pinned is large, else the spotlight and a screen, else (by choice) who speaks, else all are alike. */
export function layoutOf(scene: Scene): Layout {
  const { people, you, capacity } = scene;
  const self = people.find(({ id }) => id === you);
  const mine = self === undefined ? null : tileOf(scene, self, "camera");
  const others = people.filter(({ id }) => id !== you);
  const screens = others
    .filter(({ publishing }) => publishing.screen)
    .map((person) => tileOf(scene, person, "screen"));
  const cameras = others.map((person) => tileOf(scene, person, "camera"));
  const large = largeOf(scene, screens, cameras, mine);
  const isLarge = ({ key }: TileModel) => large.some((tile) => tile.key === key);
  const shown = shownOf(scene, [...screens, ...cameras], large);
  const hidden = screens.length + cameras.length - shown.length;
  if (large.length > 0) {
    const strip = [...shown, ...(mine === null ? [] : [mine])].filter((tile) => !isLarge(tile));
    return { kind: "presentation", mains: large, strip, hidden };
  }
  if (shown.length === 1) return { kind: "grid", tiles: shown, corner: mine, hidden };
  const tiles = [...shown, ...(mine === null ? [] : [mine])];
  return { kind: "grid", tiles, corner: null, hidden: capacity === 0 ? 0 : hidden };
}

function tileOf(scene: Scene, person: Participant, source: Source): TileModel {
  const key = trackKey({ participant: person.id, source });
  return {
    key,
    person,
    participant: person.id,
    source,
    isYou: person.id === scene.you,
    priority: priorityOf(scene, key, person.id, source),
  };
}

function priorityOf(scene: Scene, key: TrackKey, id: ParticipantId, source: Source): number {
  if (source === "screen") return PRIORITY.screen;
  if (key === scene.pinned) return PRIORITY.pinned;
  return scene.speakers.includes(id) ? PRIORITY.speaker : PRIORITY.other;
}

/** The pictures that stand out, if any do. */
function largeOf(
  scene: Scene,
  screens: readonly TileModel[],
  cameras: readonly TileModel[],
  mine: TileModel | null,
): readonly TileModel[] {
  const all = [...screens, ...cameras, ...(mine === null ? [] : [mine])];
  const pinned = all.find(({ key }) => key === scene.pinned);
  const [screen] = screens;
  if (pinned !== undefined) return [pinned];
  const people = mine === null ? cameras : [...cameras, mine];
  const spotlit = scene.spotlit.flatMap((id) => people.find(({ participant }) => participant === id) ?? []);
  if (screen !== undefined || spotlit.length > 0)
    return screen === undefined ? spotlit : [screen, ...spotlit];
  if (!scene.spotlight) return [];
  const speaker = scene.spoke.flatMap((id) => cameras.find(({ participant }) => participant === id) ?? [])[0];
  const first = speaker ?? cameras[0];
  return first === undefined ? [] : [first];
}

/** Those for whom there is room: the large one, screens, then whoever spoke last. Their order stays. */
function shownOf(
  scene: Scene,
  tiles: readonly TileModel[],
  large: readonly TileModel[],
): readonly TileModel[] {
  if (tiles.length <= scene.capacity) return tiles;
  const rank = (tile: TileModel) => {
    if (large.some(({ key }) => key === tile.key)) return -2;
    if (tile.source === "screen") return -1;
    const place = scene.spoke.indexOf(tile.participant);
    return place < 0 ? scene.spoke.length : place;
  };
  const best = new Set(tiles.toSorted((a, b) => rank(a) - rank(b)).slice(0, scene.capacity));
  return tiles.filter((tile) => best.has(tile));
}
