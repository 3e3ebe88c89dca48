// Tells the call how large a tile is on the screen, and when it is not on it.

import type { TrackId } from "@connect/sdk";
import type { Call } from "@connect/sdk/call";
import { type RefObject, useEffect } from "react";

/** Asks for a track's video while the element is visible and `wanted`. Larger `priority` matters more. */
export function useVisible(
  element: RefObject<HTMLElement | null>,
  call: Call,
  { participant, source }: TrackId,
  wanted: boolean,
  priority: number,
): void {
  useEffect(() => {
    const tile = element.current;
    if (tile === null || !wanted) return;
    const track = { participant, source };
    let onScreen = false;
    const report = () => {
      const { width, height } = tile.getBoundingClientRect();
      if (onScreen) call.view.show(track, width * devicePixelRatio, height * devicePixelRatio, priority);
      else call.view.hide(track);
    };
    const visibility = new IntersectionObserver((entries) => {
      onScreen = entries.at(-1)?.isIntersecting ?? false;
      report();
    });
    const size = new ResizeObserver(report);
    visibility.observe(tile);
    size.observe(tile);
    return () => {
      visibility.disconnect();
      size.disconnect();
      call.view.hide(track);
    };
  }, [element, call, participant, source, wanted, priority]);
}
