// Sharing the screen: the control that starts and stops it, and the mark that it is on.
import type { Caps } from "@connect/sdk";
import type { LocalScreen } from "@connect/sdk/call";
import { useEffect } from "react";
import { useReadable } from "../api-context.ts";
import { ScreenIcon } from "../ui/icons.tsx";
import { SCREEN_PROBLEM } from "./words.ts";

/** How long a problem is shown: it needs no answer. */
const PROBLEM_FOR_MS = 8_000;

/** The control; none where the browser cannot share, as on phones. */
export function ScreenToggle({ screen, caps }: { screen: LocalScreen; caps: Caps | null }) {
  const { video, asking } = useReadable(screen.state);
  const sharing = video !== null;
  const forbidden = caps !== null && !(caps.screen && caps.video);
  if (!screen.isSupported) return null;
  return (
    <button
      type="button"
      className="control opens"
      aria-label="Share screen"
      aria-pressed={sharing}
      aria-disabled={asking || forbidden}
      title={titleOf(sharing, forbidden)}
      onClick={() => forbidden || (sharing ? screen.stop() : void screen.share())}
    >
      <ScreenIcon />
      <span className="control-text">Share screen</span>
    </button>
  );
}

function titleOf(sharing: boolean, forbidden: boolean): string {
  if (forbidden) return "The host does not let you share your screen";
  return sharing ? "Stop sharing your screen" : "Share your screen";
}

/** Says that you share, and what kept you from it. */
export function ScreenBanner({ screen }: { screen: LocalScreen }) {
  const { video, audio, problem } = useReadable(screen.state);

  useEffect(() => {
    if (problem === null) return;
    const timer = setTimeout(() => screen.dismiss(), PROBLEM_FOR_MS);
    return () => clearTimeout(timer);
  }, [problem, screen]);

  if (problem !== null) return <p className="banner">{SCREEN_PROBLEM[problem]}</p>;
  if (video === null) return null;
  return (
    <p className="banner sharing">
      <ScreenIcon />
      {audio === null ? "You are sharing your screen" : "You are sharing your screen and its sound"}
      <button type="button" className="button secondary" onClick={() => screen.stop()}>
        Stop sharing
      </button>
    </p>
  );
}
