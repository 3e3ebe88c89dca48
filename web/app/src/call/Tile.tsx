// Somebody's picture (or initials), or a screen: with its name, microphone, voice, and whether it is held back.
import { type Call, type Streams, type TrackKey, trackKey } from "@connect/sdk/call";
import { useRef } from "react";
import { MicrophoneIcon, PinIcon, ScreenIcon } from "../ui/icons.tsx";
import { Avatar } from "./Avatar.tsx";
import type { Size } from "./layout.ts";
import type { TileModel } from "./stage.ts";
import { useVisible } from "./use-visible.ts";
import { Video } from "./Video.tsx";

/** What all tiles of a stage have in common. */
export interface TileContext {
  call: Call;
  streams: Streams;
  paused: ReadonlySet<TrackKey>;
  speakers: readonly string[];
  /** Your own camera's picture. */
  preview: MediaStream | null;
  pinned: TrackKey | null;
  onPin: (key: TrackKey | null) => void;
}

interface TileProps {
  context: TileContext;
  tile: TileModel;
  /** In CSS pixels; without it the style decides. */
  size?: Size;
}

export function Tile({ context, tile, size }: TileProps) {
  const { call, streams, paused, speakers, preview } = context;
  const { person, isYou, source } = tile;
  const frame = useRef<HTMLElement>(null);
  const isScreen = source === "screen";
  const sends = isScreen ? person.publishing.screen : person.publishing.camera;
  useVisible(frame, call, tile, sends && !isYou, tile.priority);

  const stream = isYou ? preview : sends ? streams.get(trackKey(tile)) : undefined;
  const name = isYou ? "You" : isScreen ? `${person.name}'s screen` : person.name;
  const muted = !isScreen && !person.publishing.microphone;
  const speaking = !isScreen && speakers.includes(person.id);
  const classes = ["tile", isYou && "you", isScreen && "screen", speaking && "speaking"];
  return (
    <figure
      ref={frame}
      className={classes.filter(Boolean).join(" ")}
      style={size && { width: size.width, height: size.height }}
      data-participant={person.id}
      data-source={source}
    >
      <Avatar name={person.name} id={person.id} />
      {stream != null && (
        <Video
          stream={stream}
          mirrored={isYou}
          whole={isScreen}
          {...(isYou ? {} : { onFirstFrame: markFirstFrame })}
        />
      )}
      {sends && paused.has(tile.key) && <p className="paused-mark">Paused: slow connection</p>}
      <figcaption>
        {muted && (
          <span className="muted-mark" role="img" aria-label="Muted">
            <MicrophoneIcon off />
          </span>
        )}
        {isScreen && <ScreenIcon />}
        <span className="tile-name">{name}</span>
      </figcaption>
      {!isYou && <PinButton context={context} tile={tile} name={name} />}
    </figure>
  );
}

/** Makes a picture the large one, or no longer. */
function PinButton({ context, tile, name }: { context: TileContext; tile: TileModel; name: string }) {
  const pinned = context.pinned === tile.key;
  return (
    <button
      type="button"
      className="pin"
      aria-label={`${pinned ? "Unpin" : "Pin"} ${name}`}
      title={pinned ? "Unpin" : "Show large"}
      onClick={() => context.onPin(pinned ? null : tile.key)}
    >
      <PinIcon off={pinned} />
    </button>
  );
}

/** The end of the stretch that the SDK's `connect:join` begins (User Timing). */
function markFirstFrame(): void {
  performance.mark("connect:first-frame");
}
