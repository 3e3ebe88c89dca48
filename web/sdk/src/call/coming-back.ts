// The way back into a call from a page that is loaded anew: kept in the tab from the end of the one page to the beginning of the next.
import { RETURN_SECONDS, type UserId } from "../generated/protocol.ts";
import type { ChoiceStorage } from "./choices.ts";

const KEY = "connect:back";
const WITHIN_MS = RETURN_SECONDS * 1_000;

/** What a page leaves to the one that follows it. */
export interface WayBack {
  readonly room: string;
  /** Whose it is: another account does not go in by it. Null for a guest. */
  readonly account: UserId | null;
  /** What the room lets this participant in by. */
  readonly token: string;
  /** The last attempt at media: the next has to be higher. */
  readonly attempt: number;
  readonly microphone: boolean;
  readonly camera: boolean;
}

/** Leaves it to the next page; false where nothing can be kept. */
export function keepWayBack(storage: ChoiceStorage | null, way: WayBack): boolean {
  try {
    storage?.setItem(KEY, JSON.stringify({ ...way, until: Date.now() + WITHIN_MS }));
    return storage !== null;
  } catch {
    return false;
  }
}

/** Takes it, so that no other page does; null if there is none, or it is another room's or too old. */
export function takeWayBack(storage: ChoiceStorage | null, room: string): WayBack | null {
  try {
    const text = storage?.getItem(KEY) ?? null;
    if (text === null) return null;
    storage?.removeItem(KEY);
    const { until, ...way } = JSON.parse(text) as WayBack & { until: number };
    const left = until - Date.now();
    return way.room === room && left > 0 && left <= WITHIN_MS ? way : null;
  } catch {
    // A browser that keeps nothing for a page, or something that is not ours: one joins as for the first time.
    return null;
  }
}
