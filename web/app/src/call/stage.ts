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
export interface GridStage {
  readonly kind: "grid";
  readonly tiles: readonly TileModel[];
  readonly corner: TileModel | null;
  /** Pictures for which there is no room. */
  readonly hidden: number;
}

/** One large, the others in a strip. */
export interface PresentationStage {
  readonly kind: "presentation";
  readonly main: TileModel;
  readonly strip: readonly TileModel[];
  readonly hidden: number;
}

export type Stage = GridStage | PresentationStage;

/** What decides on a stage. */
export interface Scene {
  readonly people: readonly Participant[];
  readonly you: ParticipantId | null;
  /** How many others' pictures can be shown at once. */
  readonly capacity: number;
  /** What the user wants large; null for nothing, and void once it is gone. */
  readonly pinned: TrackKey | null;
  /** Who speaks is large. */
  readonly spotlight: boolean;
  /** Who speaks now. */
  readonly speakers: readonly ParticipantId[];
  /** Who has spoken, the latest first. */
  readonly spoke: readonly ParticipantId[];
}

const PRIORITY = { screen: 3, pinned: 2, speaker: 1, other: 0 } as const;

/** Arranges a scene: what is pinned is large, else a screen, else (by choice) who speaks, else all are alike. */
export function stageOf(scene: Scene): Stage {
  const { people, you, capacity } = scene;
  const self = people.find(({ id }) => id === you);
  const mine = self === undefined ? null : tileOf(scene, self, "camera");
  const others = people.filter(({ id }) => id !== you);
  const screens = others
    .filter(({ publishing }) => publishing.screen)
    .map((person) => tileOf(scene, person, "screen"));
  const cameras = others.map((person) => tileOf(scene, person, "camera"));
  const large = largeOf(scene, screens, cameras, mine);
  const shown = shownOf(scene, [...screens, ...cameras], large);
  const hidden = screens.length + cameras.length - shown.length;
  if (large !== null) {
    const strip = [...shown, ...(mine === null ? [] : [mine])].filter(({ key }) => key !== large.key);
    return { kind: "presentation", main: large, strip, hidden };
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

/** The picture that stands out, if one does. */
function largeOf(
  scene: Scene,
  screens: readonly TileModel[],
  cameras: readonly TileModel[],
  mine: TileModel | null,
): TileModel | null {
  const all = [...screens, ...cameras, ...(mine === null ? [] : [mine])];
  const pinned = all.find(({ key }) => key === scene.pinned);
  const [screen] = screens;
  if (pinned !== undefined || screen !== undefined) return pinned ?? screen ?? null;
  if (!scene.spotlight) return null;
  const speaker = scene.spoke.flatMap((id) => cameras.find(({ participant }) => participant === id) ?? [])[0];
  return speaker ?? cameras[0] ?? null;
}

/** Those for whom there is room: the large one, screens, then whoever spoke last. Their order on the stage stays. */
function shownOf(scene: Scene, tiles: readonly TileModel[], large: TileModel | null): readonly TileModel[] {
  if (tiles.length <= scene.capacity) return tiles;
  const rank = (tile: TileModel) => {
    if (tile.key === large?.key) return -2;
    if (tile.source === "screen") return -1;
    const place = scene.spoke.indexOf(tile.participant);
    return place < 0 ? scene.spoke.length : place;
  };
  const best = new Set(tiles.toSorted((a, b) => rank(a) - rank(b)).slice(0, scene.capacity));
  return tiles.filter((tile) => best.has(tile));
}
