// A stream's picture, hidden until there is one.
import { useEffect, useRef, useState } from "react";

interface VideoProps {
  stream: MediaStream;
  /** As in a mirror: for yourself. A phone's back camera shows the world, and no mirror does. */
  mirrored?: boolean;
  /** Whole instead of cut to the frame: for screens. */
  whole?: boolean;
  onFirstFrame?: () => void;
}

export function Video({ stream, mirrored = false, whole = false, onFirstFrame }: VideoProps) {
  const element = useRef<HTMLVideoElement>(null);
  const [started, setStarted] = useState(false);

  useEffect(() => {
    const video = element.current;
    if (video === null) return;
    video.srcObject = stream;
    return () => {
      video.srcObject = null;
    };
  }, [stream]);

  const classes = [
    "video",
    mirrored && !looksAway(stream) && "mirrored",
    whole && "whole",
    started && "started",
  ];
  return (
    // Sound comes from the audio slots: a picture has none.
    <video
      ref={element}
      className={classes.filter(Boolean).join(" ")}
      autoPlay
      playsInline
      muted
      onLoadedData={() => {
        setStarted(true);
        onFirstFrame?.();
      }}
    />
  );
}

function looksAway(stream: MediaStream): boolean {
  return stream.getVideoTracks()[0]?.getSettings().facingMode === "environment";
}
