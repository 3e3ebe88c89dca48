// The rooms that this browser's guests were in lately. Who has an account has a list of their own, on the server.

export interface RecentRoom {
  readonly id: string;
  readonly name: string;
}

const KEY = "connect:recent-rooms";
/** The least recent ones fall out of the list. */
const MOST = 10;

/** Asked for at each use: a browser that forbids it throws. */
type Shelf = () => Pick<Storage, "getItem" | "setItem" | "removeItem">;

const BROWSER: Shelf = () => localStorage;

/** The latest first. What cannot be read is none. */
export function recentRooms(shelf = BROWSER): readonly RecentRoom[] {
  try {
    const stored: unknown = JSON.parse(shelf().getItem(KEY) ?? "[]");
    return Array.isArray(stored) ? stored.filter(isRecent).slice(0, MOST) : [];
  } catch {
    return [];
  }
}

/** Puts a room on top. A browser that stores nothing does without. */
export function rememberRoom({ id, name }: RecentRoom, shelf = BROWSER): void {
  const others = recentRooms(shelf).filter((room) => room.id !== id);
  try {
    shelf().setItem(KEY, JSON.stringify([{ id, name }, ...others].slice(0, MOST)));
  } catch {
    // Nothing is remembered then.
  }
}

export function forgetRooms(shelf = BROWSER): void {
  try {
    shelf().removeItem(KEY);
  } catch {
    // Nothing was remembered.
  }
}

function isRecent(room: unknown): room is RecentRoom {
  if (typeof room !== "object" || room === null) return false;
  return "id" in room && typeof room.id === "string" && "name" in room && typeof room.name === "string";
}
