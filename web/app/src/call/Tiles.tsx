// The tiles of a call: a grid, or one large picture and a strip, as large as the space allows.
import type { Call, CallState, TrackKey } from "@connect/sdk/call";
import { useEffect, useRef, useState } from "react";
import { useReadable } from "../api-context.ts";
import { Alone } from "./Alone.tsx";
import { type GridLayout, layoutOf, type PresentationLayout } from "./layout.ts";
import { gridOf, presentationOf, type Size } from "./sizes.ts";
import { Tile, type TileContext } from "./Tile.tsx";

const GAP = 12;
/** Space around the tiles, in CSS pixels. */
const INSET = { x: 12, y: 4 };

interface TilesProps {
  call: Call;
  state: CallState;
  room: string;
  /** How many others can be shown at once. */
  capacity: number;
  /** Who speaks is shown large. */
  spotlight: boolean;
}

export function Tiles({ call, state, room, capacity, spotlight }: TilesProps) {
  const { preview } = useReadable(call.local.state);
  const [pinned, setPinned] = useState<TrackKey | null>(null);
  const [space, box] = useSize();
  const { participants: people, you, speakers, spoke, streams, paused } = state;
  const spotlit = useReadable(call.spotlight.state);
  const layout = layoutOf({ people, you, capacity, pinned, spotlit, spotlight, speakers, spoke });
  const decodes = people.find(({ id }) => id === you)?.decodes ?? [];
  const context: TileContext = {
    call,
    streams,
    paused,
    speakers,
    decodes,
    preview,
    pinned,
    onPin: setPinned,
  };

  return (
    <section className="tiles" aria-label="Participants">
      <div className="tiles-box" ref={box} style={{ margin: `${INSET.y}px ${INSET.x}px` }}>
        {layout.kind === "grid" ? (
          <GridView context={context} layout={layout} space={space} />
        ) : (
          <PresentationView context={context} layout={layout} space={space} />
        )}
      </div>
      {layout.hidden > 0 && <p className="hidden-count">and {layout.hidden} more</p>}
      {people.length === 1 && <Alone call={call} you={you} room={room} />}
    </section>
  );
}

function GridView({ context, layout, space }: { context: TileContext; layout: GridLayout; space: Size }) {
  const size = gridOf(space, layout.tiles.length, GAP);
  // Inside of the large tile, wherever that is centered.
  const corner = {
    right: (space.width - size.width) / 2 + GAP,
    bottom: (space.height - size.height) / 2 + GAP,
  };
  return (
    <div className="grid" style={{ gap: GAP }}>
      {layout.tiles.map((tile) => (
        <Tile key={tile.key} context={context} tile={tile} size={size} />
      ))}
      {layout.corner !== null && (
        <div className="corner" style={corner}>
          <Tile context={context} tile={layout.corner} />
        </div>
      )}
    </div>
  );
}

interface PresentationProps {
  context: TileContext;
  layout: PresentationLayout;
  space: Size;
}

function PresentationView({ context, layout, space }: PresentationProps) {
  const { mains, strip } = layout;
  const isScreen = mains[0]?.source === "screen";
  const sizes = presentationOf(space, strip.length, GAP, isScreen, mains.length);
  return (
    <div className={`presentation strip-${sizes.strip}`} style={{ gap: GAP }}>
      <div className="presented">
        <div className="grid" style={{ gap: GAP }}>
          {mains.map((tile) => (
            <Tile key={tile.key} context={context} tile={tile} size={sizes.main} />
          ))}
        </div>
      </div>
      {strip.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so a keyboard has to get there.
        <section className="strip" aria-label="Others" tabIndex={0} style={{ gap: GAP }}>
          {strip.map((tile) => (
            <Tile key={tile.key} context={context} tile={tile} size={sizes.tile} />
          ))}
        </section>
      )}
    </div>
  );
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
