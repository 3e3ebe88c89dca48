// The tiles of a call: a grid, or one large picture and a strip, as large as the space allows.
import type { Call, CallState, TrackKey } from "@connect/sdk/call";
import { useEffect, useRef, useState } from "react";
import { useReadable } from "../api-context.ts";
import { Alone } from "./Alone.tsx";
import { gridOf, presentationOf, type Size } from "./layout.ts";
import { type GridStage, type PresentationStage, stageOf } from "./stage.ts";
import { Tile, type TileContext } from "./Tile.tsx";

const GAP = 12;
/** Space around the tiles, in CSS pixels. */
const STAGE_INSET = { x: 12, y: 4 };

interface StageProps {
  call: Call;
  state: CallState;
  room: string;
  /** How many others can be shown at once. */
  capacity: number;
  /** Who speaks is shown large. */
  spotlight: boolean;
}

export function StageView({ call, state, room, capacity, spotlight }: StageProps) {
  const { preview } = useReadable(call.local.state);
  const [pinned, setPinned] = useState<TrackKey | null>(null);
  const [space, box] = useSize();
  const { participants: people, you, speakers, spoke, streams, paused } = state;
  const spotlit = useReadable(call.spotlight.state);
  const stage = stageOf({ people, you, capacity, pinned, spotlit, spotlight, speakers, spoke });
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
    <section className="stage" aria-label="Participants">
      <div className="stage-box" ref={box} style={{ margin: `${STAGE_INSET.y}px ${STAGE_INSET.x}px` }}>
        {stage.kind === "grid" ? (
          <GridView context={context} stage={stage} space={space} />
        ) : (
          <PresentationView context={context} stage={stage} space={space} />
        )}
      </div>
      {stage.hidden > 0 && <p className="hidden-count">and {stage.hidden} more</p>}
      {people.length === 1 && <Alone call={call} you={you} room={room} />}
    </section>
  );
}

function GridView({ context, stage, space }: { context: TileContext; stage: GridStage; space: Size }) {
  const size = gridOf(space, stage.tiles.length, GAP);
  // Inside of the large tile, wherever that is centered.
  const corner = {
    right: (space.width - size.width) / 2 + GAP,
    bottom: (space.height - size.height) / 2 + GAP,
  };
  return (
    <div className="grid" style={{ gap: GAP }}>
      {stage.tiles.map((tile) => (
        <Tile key={tile.key} context={context} tile={tile} size={size} />
      ))}
      {stage.corner !== null && (
        <div className="corner" style={corner}>
          <Tile context={context} tile={stage.corner} />
        </div>
      )}
    </div>
  );
}

interface PresentationProps {
  context: TileContext;
  stage: PresentationStage;
  space: Size;
}

function PresentationView({ context, stage, space }: PresentationProps) {
  const { mains, strip } = stage;
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
