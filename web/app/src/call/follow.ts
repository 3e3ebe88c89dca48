// A list that grows: at its end one follows what comes, further up nothing moves.
import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";

/** Nearer than this to the end is at the end, in CSS pixels. */
const NEAR = 32;

export interface Following {
  /** Whether what comes is in view. */
  readonly isAtEnd: boolean;
  /** Goes to the end, and follows. */
  readonly toEnd: () => void;
  /** Stays where one is, also at the end. */
  readonly stay: () => void;
}

/**
 * Keeps the place in a scrolling list whose children have a `data-key`. `content` is whatever makes them change. By hand:
 * not every browser anchors what is scrolled, and none does where the oldest lines are dropped from above the view.
 */
export function useFollowing(list: RefObject<HTMLElement | null>, content: unknown): Following {
  const [isAtEnd, setIsAtEnd] = useState(true);
  const follows = useRef(true);
  const anchor = useRef<{ key: string; top: number } | null>(null);

  const toEnd = useCallback(() => {
    follows.current = true;
    setIsAtEnd(true);
    list.current?.scrollTo({ top: list.current.scrollHeight });
  }, [list]);

  const stay = useCallback(() => {
    follows.current = false;
    if (list.current !== null) anchor.current = firstInView(list.current);
  }, [list]);

  useEffect(() => {
    const element = list.current;
    if (element === null) return;
    const look = () => {
      follows.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR;
      setIsAtEnd(follows.current);
      anchor.current = firstInView(element);
    };
    // A panel that becomes lower, as with a keyboard on the screen, does not hide the end.
    const size = new ResizeObserver(() => follows.current && toEnd());
    element.addEventListener("scroll", look, { passive: true });
    size.observe(element);
    return () => {
      element.removeEventListener("scroll", look);
      size.disconnect();
    };
  }, [list, toEnd]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the content is what moves the view.
  useLayoutEffect(() => {
    const element = list.current;
    if (element === null) return;
    if (follows.current) return toEnd();
    const { key, top } = anchor.current ?? {};
    const child = [...element.children].find((child) => keyOf(child) === key);
    if (child !== undefined && top !== undefined) element.scrollTop += topOf(child, element) - top;
    anchor.current = firstInView(element);
  }, [list, content, toEnd]);

  return { isAtEnd, toEnd, stay };
}

function firstInView(list: HTMLElement): { key: string; top: number } | null {
  for (const child of list.children) {
    const key = keyOf(child);
    const top = topOf(child, list);
    if (key !== undefined && top + child.clientHeight > 0) return { key, top };
  }
  return null;
}

function keyOf(child: Element): string | undefined {
  return child instanceof HTMLElement ? child.dataset.key : undefined;
}

function topOf(child: Element, list: HTMLElement): number {
  return child.getBoundingClientRect().top - list.getBoundingClientRect().top;
}
