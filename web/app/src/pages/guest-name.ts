// The name under which somebody has come to a room as a guest: kept in the tab, so that a page that is loaded anew asks for none, and in
// the browser, so that who comes under another name is known for somebody else.
const keyOf = (room: string) => `connect:guest:${room}`;
const LATEST = "connect:guest-name";

export function guestName(room: string): string | null {
  try {
    return sessionStorage.getItem(keyOf(room));
  } catch {
    // A browser that lets no page keep anything asks for the name again: no harm.
    return null;
  }
}

/** Remembers it, or with null forgets it. */
export function keepGuestName(room: string, name: string | null): void {
  try {
    if (name === null) sessionStorage.removeItem(keyOf(room));
    else sessionStorage.setItem(keyOf(room), name);
    if (name !== null) localStorage.setItem(LATEST, name);
  } catch {
    // As above.
  }
}

/**
 * Whether who comes under this name is somebody else than was here before, so that they read nothing of theirs: who gives the name that
 * was given here last is the same.
 */
export function isOtherGuest(name: string): boolean {
  try {
    return localStorage.getItem(LATEST) !== name;
  } catch {
    return true;
  }
}
