// What is known of a room before joining it.
import type { Entrance } from "@connect/sdk";
import { useCallback, useEffect, useState } from "react";
import { type Absence, absenceOf } from "../pages/NoRoom.tsx";

export interface KnownRoom {
  /** Null while it is not known. */
  readonly name: string | null;
  /** As how many participants its user is in it already. */
  readonly yours: number;
  /** Whether its user comes to watch alone; null while it is not known. */
  readonly watches: boolean | null;
  /** That it is not there. */
  readonly absence: Absence | null;
}

const UNKNOWN: KnownRoom = { name: null, yours: 0, watches: null, absence: null };

/** A room, looked at again whenever somebody comes back to the page and `follows`: the call may be on in another tab by now. */
export function useRoom(entrance: Entrance, id: string, follows: boolean): KnownRoom {
  const [known, setKnown] = useState(UNKNOWN);

  const look = useCallback(
    (signal: AbortSignal) =>
      entrance.room(id, { signal }).then(
        ({ name, yours, watches = false }) => setKnown({ name, yours, watches, absence: null }),
        (error) => {
          // Anything else than its absence shows when joining, and who wants to be seen need not wait for it.
          setKnown((known) => ({ ...known, watches: known.watches ?? false }));
          const absence = absenceOf(error);
          if (absence !== null) setKnown({ ...UNKNOWN, absence });
        },
      ),
    [entrance, id],
  );

  useEffect(() => {
    const over = new AbortController();
    if (!follows) return;
    const lookAgain = () => void (document.visibilityState === "visible" && look(over.signal));
    void look(over.signal);
    document.addEventListener("visibilitychange", lookAgain);
    addEventListener("focus", lookAgain);
    return () => {
      over.abort();
      document.removeEventListener("visibilitychange", lookAgain);
      removeEventListener("focus", lookAgain);
    };
  }, [look, follows]);

  return known;
}
