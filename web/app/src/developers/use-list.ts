// A list that is loaded, changed by deeds, and loaded again after each; and what went wrong with either.
import { useCallback, useEffect, useState } from "react";

export interface Listed<T> {
  /** Null until it is there. */
  readonly items: readonly T[] | null;
  readonly error: unknown;
  /** Does something, and loads the list again. Resolves to what the deed gives, or to null if it failed. */
  readonly run: <R>(deed: () => Promise<R>) => Promise<R | null>;
}

export function useList<T>(load: () => Promise<T[]>): Listed<T> {
  const [items, setItems] = useState<readonly T[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  const again = useCallback(() => load().then(setItems, setError), [load]);
  useEffect(() => void again(), [again]);
  const run = async <R>(deed: () => Promise<R>): Promise<R | null> => {
    setError(null);
    try {
      return await deed();
    } catch (problem) {
      setError(problem);
      return null;
    } finally {
      await again();
    }
  };
  return { items, error, run };
}
