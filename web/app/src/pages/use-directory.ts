// The directory as somebody looks through it: by words, page by page.
import type { ListedRoom } from "@connect/sdk";
import { useEffect, useRef, useState } from "react";
import { useApi } from "../api-context.ts";

/** Who types is not answered at each letter. */
const PAUSE_MS = 250;

export interface Directory {
  /** Null until the first have come. */
  readonly rooms: readonly ListedRoom[] | null;
  readonly error: unknown;
  /** Brings the next page; null if there is none. */
  readonly more: (() => void) | null;
  readonly again: () => void;
}

export function useDirectory(query: string, live: boolean): Directory {
  const api = useApi();
  const [rooms, setRooms] = useState<readonly ListedRoom[] | null>(null);
  const [next, setNext] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [turn, setTurn] = useState(0);
  const looking = useRef(new AbortController());

  const look = (after: string | null) => {
    const { signal } = looking.current;
    setError(null);
    api.directory({ query, live, after }, { signal }).then(
      (page) => {
        if (signal.aborted) return;
        setRooms((before) => (after === null ? page.rooms : [...(before ?? []), ...page.rooms]));
        setNext(page.next);
      },
      (error) => {
        if (!signal.aborted) setError(error);
      },
    );
  };

  // biome-ignore lint/correctness/useExhaustiveDependencies: `look` is made anew at each drawing; these are what it looks for.
  useEffect(() => {
    const controller = new AbortController();
    looking.current = controller;
    const timer = setTimeout(() => look(null), query === "" ? 0 : PAUSE_MS);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [api, query, live, turn]);

  const more = next === null ? null : () => look(next);
  return { rooms, error, more, again: () => setTurn(turn + 1) };
}
