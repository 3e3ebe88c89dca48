// Somebody's picture (or initials), or a screen: with its name, microphone, voice, and whether it is held back.
import type { Codec } from "@connect/sdk";
import { type Call, cannotPlay, type Streams, type TrackKey, trackKey } from "@connect/sdk/call";
import { type ReactNode, useRef } from "react";
import { BarsIcon, MicrophoneIcon, PinIcon, ScreenIcon } from "../ui/icons.tsx";
import { isolated } from "../ui/words.ts";
import { Avatar } from "./Avatar.tsx";
import type { TileModel } from "./layout.ts";
import { Part } from "./Part.tsx";
import type { Size } from "./sizes.ts";
import { useVisible } from "./use-visible.ts";
import { Video } from "./Video.tsx";
import { AWAY } from "./words.ts";

/** What all tiles of a layout have in common. */
export interface TileContext {
  call: Call;
  streams: Streams;
  paused: ReadonlySet<TrackKey>;
  speakers: readonly string[];
  /** The codecs that this browser plays. */
  decodes: readonly Codec[];
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

export function Tile(props: TileProps) {
  const { isYou, person } = props.tile;
  return (
    <Part name={isYou ? "Your tile" : `${isolated(person.name)}'s tile`}>
      <Frame {...props} />
    </Part>
  );
}

function Frame({ context, tile, size }: TileProps) {
  const { call, streams, speakers, preview } = context;
  const { person, isYou, source } = tile;
  const frame = useRef<HTMLElement>(null);
  const isScreen = source === "screen";
  const sends = isScreen ? person.publishing.screen : person.publishing.camera;
  useVisible(frame, call, tile, sends && !isYou, tile.priority);

  const stream = isYou ? preview : sends ? streams.get(trackKey(tile)) : undefined;
  const away = isYou ? null : AWAY[person.connection];
  const muted = !isScreen && !person.publishing.microphone && away === null;
  const speaking = !isScreen && away === null && speakers.includes(person.id);
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
          {...(isYou ? {} : { onFirstFrame: call.firstFrame })}
        />
      )}
      <Standstill context={context} tile={tile} away={away} />
      <figcaption>
        {away !== null && <BarsIcon count={0} />}
        {muted && (
          <span className="muted-mark" role="img" aria-label="Muted">
            <MicrophoneIcon off />
          </span>
        )}
        {isScreen && <ScreenIcon />}
        <span className="tile-name">
          <bdi>{isYou ? "You" : person.name}</bdi>
          {isScreen && "'s screen"}
        </span>
      </figcaption>
      {!isYou && <PinButton context={context} tile={tile} />}
    </figure>
  );
}

interface StandstillProps {
  context: TileContext;
  tile: TileModel;
  /** That the person cannot be seen and heard now. */
  away: string | null;
}

/** Why there is no picture, or why it stands still; nothing when it moves, or when there is none to be seen. */
function Standstill({ context, tile, away }: StandstillProps) {
  const { person, isYou, source } = tile;
  if (away !== null) return <Word>{away}</Word>;
  const { screen, camera, codec } = person.publishing;
  if (isYou || !(source === "screen" ? screen : camera)) return null;
  if (cannotPlay(context.decodes, codec)) {
    // Its sender may be about to change it.
    return (
      <Word late>
        <bdi>{person.name}</bdi> sends video in a format this browser cannot play
      </Word>
    );
  }
  return context.paused.has(tile.key) ? <Word>Paused: slow connection</Word> : null;
}

function Word({ late = false, children }: { late?: boolean; children: ReactNode }) {
  return (
    <p className={late ? "standstill late" : "standstill"}>
      <span>{children}</span>
    </p>
  );
}

/** Makes a picture the large one, or no longer. */
function PinButton({ context, tile }: { context: TileContext; tile: TileModel }) {
  const name = isolated(tile.person.name);
  const pinned = context.pinned === tile.key;
  return (
    <button
      type="button"
      className="pin"
      aria-label={`${pinned ? "Unpin" : "Pin"} ${tile.source === "screen" ? `${name}'s screen` : name}`}
      title={pinned ? "Unpin" : "Show large"}
      onClick={() => context.onPin(pinned ? null : tile.key)}
    >
      <PinIcon off={pinned} />
    </button>
  );
}
