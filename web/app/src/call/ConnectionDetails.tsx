// How good the connection is: bars and a word, and the figures behind them on demand.
import type { PathQuality } from "@connect/sdk";
import type { Call, CallState, CallStatistics } from "@connect/sdk/call";
import { type KeyboardEvent, useEffect, useId, useState } from "react";
import { BarsIcon } from "../ui/icons.tsx";
import { BARS, ownConnection } from "./words.ts";

const REFRESH_MS = 1_000;

export function ConnectionDetails({ call, state }: { call: Call; state: CallState }) {
  const [open, setOpen] = useState(false);
  const id = useId();
  const { quality, region } = state;
  const closeOnEscape = ({ key }: KeyboardEvent) => {
    if (key === "Escape") setOpen(false);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the key closes what the button inside has opened.
    <div className={`connection ${quality}`} onKeyDown={closeOnEscape}>
      <button
        type="button"
        className="button quiet"
        aria-expanded={open}
        aria-controls={id}
        onClick={() => setOpen(!open)}
      >
        <BarsIcon count={BARS[quality]} />
        <span className="connection-words">{[ownConnection(state), region].filter(Boolean).join(" · ")}</span>
      </button>
      <section id={id} className="connection-details" aria-label="Connection details" hidden={!open}>
        {open && <Figures call={call} state={state} />}
      </section>
    </div>
  );
}

function Figures({ call, state }: { call: Call; state: CallState }) {
  const statistics = useStatistics(call);
  const { report, node } = state;
  const roundTrip = report?.roundTripMs ?? statistics?.roundTrip ?? null;
  const videos = statistics?.incoming.filter(({ framesPerSecond }) => framesPerSecond > 0) ?? [];
  const freezes = videos.reduce((sum, video) => sum + video.freezes, 0);
  const largest = videos.toSorted((a, b) => b.frameHeight - a.frameHeight)[0];
  return (
    <dl>
      <Figure name="Round trip" value={roundTrip === null ? null : `${Math.round(roundTrip)} ms`} />
      <Figure name="Sending" value={report && pathOf(report.up)} />
      <Figure name="Receiving" value={report && pathOf(report.down)} />
      <Figure name="Available" value={report && `up to ${rateOf(report.estimate)}`} />
      <Figure name="Your sound" value={report && `${report.score.toFixed(1)} of 5`} />
      <Figure
        name="Largest picture"
        value={
          largest &&
          `${largest.frameWidth} × ${largest.frameHeight}, ${Math.round(largest.framesPerSecond)} a second`
        }
      />
      <Figure name="Standing still" value={shareOf(report?.frozen)} />
      <Figure name="Freezes" value={videos.length > 0 ? String(freezes) : null} />
      <Figure name="Media node" value={node} />
    </dl>
  );
}

function Figure({ name, value }: { name: string; value: string | null | undefined }) {
  return (
    <div className="figure">
      <dt>{name}</dt>
      <dd>{value ?? "not known yet"}</dd>
    </div>
  );
}

/** Nothing where the client has not reported yet, or its node does not know of it. */
function shareOf(frozen: number | null | undefined): string | null {
  return frozen === null || frozen === undefined ? null : `${(100 * frozen).toFixed(1)}% of the time`;
}

function pathOf({ bitrate, loss, jitterMs }: PathQuality): string {
  return `${rateOf(bitrate)}, ${(100 * loss).toFixed(1)}% lost, jitter ${Math.round(jitterMs)} ms`;
}

/** In the unit in which it is easiest to read. */
export function rateOf(bitsPerSecond: number): string {
  if (bitsPerSecond < 1_000_000) return `${Math.round(bitsPerSecond / 1_000)} kbit/s`;
  return `${(bitsPerSecond / 1_000_000).toFixed(1)} Mbit/s`;
}

/** What the browser measures, as long as somebody looks. */
function useStatistics(call: Call): CallStatistics | null {
  const [statistics, setStatistics] = useState<CallStatistics | null>(null);
  useEffect(() => {
    const look = () => void call.statistics().then(setStatistics);
    look();
    const timer = setInterval(look, REFRESH_MS);
    return () => clearInterval(timer);
  }, [call]);
  return statistics;
}
