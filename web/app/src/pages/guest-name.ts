// The name under which somebody has come to a room as a guest: kept in the tab, so that a page that is loaded anew asks for none.
const keyOf = (room: string) => `connect:guest:${room}`;

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
  } catch {
    // As above.
  }
}
