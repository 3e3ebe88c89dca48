// Somebody's picture (or initials), name and microphone.
import { type Call, type Streams, trackKey } from "@connect/sdk/call";
import { useRef } from "react";
import { MicrophoneIcon } from "../ui/icons.tsx";
import { Avatar } from "./Avatar.tsx";
import type { Size, TileModel } from "./layout.ts";
import { useVisible } from "./use-visible.ts";
import { Video } from "./Video.tsx";

interface TileProps {
  call: Call;
  tile: TileModel;
  streams: Streams;
  /** Your own camera's picture. */
  preview: MediaStream | null;
  /** In CSS pixels; without it the style decides. */
  size?: Size;
}

export function Tile({ call, tile, streams, preview, size }: TileProps) {
  const { person, isYou, source } = tile;
  const frame = useRef<HTMLElement>(null);
  const isScreen = source === "screen";
  const sends = isScreen ? person.publishing.screen : person.publishing.camera;
  useVisible(frame, call, tile, sends && !isYou, isScreen ? 1 : 0);

  const stream = isYou ? preview : sends ? streams.get(trackKey(tile)) : undefined;
  const name = isYou ? "You" : isScreen ? `${person.name}'s screen` : person.name;
  const muted = !isScreen && !person.publishing.microphone;
  return (
    <figure
      ref={frame}
      className={isYou ? "tile you" : "tile"}
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
      <figcaption>
        {muted && (
          <span className="muted-mark" role="img" aria-label="Muted">
            <MicrophoneIcon off />
          </span>
        )}
        <span className="tile-name">{name}</span>
      </figcaption>
    </figure>
  );
}

/** The end of the stretch that the SDK's `connect:join` begins (User Timing). */
function markFirstFrame(): void {
  performance.mark("connect:first-frame");
}
