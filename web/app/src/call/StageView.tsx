// The tiles of a call, as large as the space allows.
import type { Call, CallState } from "@connect/sdk/call";
import { useEffect, useRef, useState } from "react";
import { useReadable } from "../api-context.ts";
import { CopyLink } from "../ui/CopyLink.tsx";
import { gridOf, type Size, stageOf } from "./layout.ts";
import { Tile } from "./Tile.tsx";

const GAP = 12;
/** Space around the grid, in CSS pixels. */
const STAGE_INSET = { x: 12, y: 4 };

interface StageProps {
  call: Call;
  state: CallState;
  room: string;
  /** How many others can be shown at once. */
  capacity: number;
}

export function StageView({ call, state, room, capacity }: StageProps) {
  const { preview } = useReadable(call.local.state);
  const [space, box] = useSize();
  const { grid, corner, hidden } = stageOf(state.participants, state.you, capacity);
  const size = gridOf(space, grid.length, GAP);
  const shared = { call, streams: state.streams, preview };
  const alone = state.participants.length === 1;

  return (
    <section className="stage" aria-label="Participants">
      <div className="grid" ref={box} style={{ gap: GAP, margin: `${STAGE_INSET.y}px ${STAGE_INSET.x}px` }}>
        {grid.map((tile) => (
          <Tile key={`${tile.participant}/${tile.source}`} {...shared} tile={tile} size={size} />
        ))}
      </div>
      {corner !== null && (
        <div className="corner" style={cornerIn(space, size)}>
          <Tile {...shared} tile={corner} />
        </div>
      )}
      {hidden > 0 && <p className="hidden-count">and {hidden} more</p>}
      {alone && (
        <div className="alone" role="status">
          <h2>You're the only one here</h2>
          <p className="muted small">Send the link to whom you want to talk with.</p>
          <CopyLink room={room} />
        </div>
      )}
    </section>
  );
}

/** Keeps the corner tile inside of the large one, wherever that is centered. */
function cornerIn(space: Size, tile: Size) {
  return {
    right: STAGE_INSET.x + (space.width - tile.width) / 2 + GAP,
    bottom: STAGE_INSET.y + (space.height - tile.height) / 2 + GAP,
  };
}

/** The size of an element, followed. */
function useSize(): [Size, React.RefObject<HTMLDivElement | null>] {
  const element = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  useEffect(() => {
    if (element.current === null) return;
    const observer = new ResizeObserver(([entry]) => {
      if (entry !== undefined) setSize({ width: entry.contentRect.width, height: entry.contentRect.height });
    });
    observer.observe(element.current);
    return () => observer.disconnect();
  }, []);
  return [size, element];
}
