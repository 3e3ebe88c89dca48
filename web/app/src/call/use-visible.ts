// Tells the call how large a tile is on the screen, and when it is not on it.

import type { TrackId } from "@connect/sdk";
import type { Call } from "@connect/sdk/call";
import { type RefObject, useEffect, useRef } from "react";

/** Asks for a track's video while the element is visible and `wanted`. Larger `priority` matters more. */
export function useVisible(
  element: RefObject<HTMLElement | null>,
  call: Call,
  { participant, source }: TrackId,
  wanted: boolean,
  priority: number,
): void {
  const importance = useRef(priority);
  const reportNow = useRef<(() => void) | null>(null);

  useEffect(() => {
    const tile = element.current;
    if (tile === null || !wanted) return;
    const track = { participant, source };
    let onScreen = false;
    const report = () => {
      const { width, height } = tile.getBoundingClientRect();
      const pixels = { width: width * devicePixelRatio, height: height * devicePixelRatio };
      if (onScreen) call.view.show(track, pixels.width, pixels.height, importance.current);
      else call.view.hide(track);
    };
    const visibility = new IntersectionObserver((entries) => {
      onScreen = entries.at(-1)?.isIntersecting ?? false;
      report();
    });
    // Its first call comes with the observation, perhaps before anything is known of the visibility.
    const size = new ResizeObserver(() => onScreen && report());
    reportNow.current = () => onScreen && report();
    visibility.observe(tile);
    size.observe(tile);
    return () => {
      visibility.disconnect();
      size.disconnect();
      reportNow.current = null;
      call.view.hide(track);
    };
  }, [element, call, participant, source, wanted]);

  // By itself, so that a tile whose importance changes is not gone for a moment.
  useEffect(() => {
    importance.current = priority;
    reportNow.current?.();
  }, [priority]);
}
