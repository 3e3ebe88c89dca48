// What those who keep order have done in this room, for its host: by pages, the latest first.
import type { AuditEntry, Deed, RoomId, Source } from "@connect/sdk";
import { useState } from "react";
import { useApi } from "../api-context.ts";

interface Shown {
  readonly entries: readonly AuditEntry[];
  readonly before: number | null;
}

const START: Shown = { entries: [], before: null };

export function AuditList({ room }: { room: RoomId }) {
  const api = useApi();
  const [shown, setShown] = useState<Shown | null>(null);
  const [failed, setFailed] = useState(false);
  const load = ({ entries, before }: Shown) =>
    api.audit(room, before).then(
      (page) => {
        setFailed(false);
        setShown({ entries: [...entries, ...page.entries], before: page.before });
      },
      () => setFailed(true),
    );
  return (
    <details
      className="audit"
      onToggle={({ currentTarget }) => (currentTarget.open ? void load(START) : setShown(null))}
    >
      <summary>What was done</summary>
      {failed && <p role="alert">It could not be loaded. Close this and try again.</p>}
      {shown?.entries.length === 0 && <p>Nothing yet.</p>}
      <ol>
        {shown?.entries.map(({ number, at, by, on, deed }) => (
          <li key={number}>
            <time dateTime={new Date(at).toISOString()}>{new Date(at).toLocaleString()}</time>{" "}
            <bdi>{by.name}</bdi> {deedWords(deed)}
            {on !== null && (
              <>
                : <bdi>{on.name}</bdi>
              </>
            )}
          </li>
        ))}
      </ol>
      {shown !== null && shown.before !== null && (
        <button type="button" className="button secondary" onClick={() => void load(shown)}>
          Show earlier ones
        </button>
      )}
    </details>
  );
}

const SOURCE: Record<Source, string> = {
  microphone: "microphone",
  camera: "camera",
  screen: "screen sharing",
  screenAudio: "screen sharing",
};
const MUTED = { soft: "muted all", hard: "forbade all to speak", lifted: "allowed all to speak" };

/** A deed, as what somebody did; one of a newer release by its name. */
export function deedWords(deed: Deed): string {
  switch (deed.type) {
    case "caps":
      return `changed what may be sent (${pairs(deed.change)})`;
    case "turnedOff":
      return `turned off the ${SOURCE[deed.source]}`;
    case "askedToUnmute":
      return "asked to unmute";
    case "mutedAll":
      return MUTED[deed.mute];
    case "role":
      return `made a ${deed.role}`;
    case "removed":
      return "removed";
    case "banned":
      return "banned";
    case "unbanned":
      return "lifted the ban";
    case "admitted":
      return "let in";
    case "refused":
      return "did not let in";
    case "refusedToSpeak":
      return "did not bring on stage";
    case "handLowered":
      return "lowered a hand";
    case "spotlight":
      return deed.on ? "put into the spotlight" : "took out of the spotlight";
    case "pollCreated":
      return `made poll ${deed.poll}`;
    case "pollClosed":
      return `closed poll ${deed.poll}`;
    case "pollDeleted":
      return `deleted poll ${deed.poll}`;
    case "chatDeleted":
      return "deleted a line of chat";
    case "password":
      return deed.set ? "set a password" : "took the password away";
    case "breakoutsOpened":
      return deed.rooms === 1 ? "opened a breakout room" : `opened ${deed.rooms} breakout rooms`;
    case "breakoutsClosed":
      return "closed the breakout rooms";
    case "breakoutsLimited":
      return deed.seconds === null
        ? "took the breakout rooms' time limit away"
        : `gave the breakout rooms ${Math.ceil(deed.seconds / 60)} min from then on`;
    case "movedToBreakout":
      return deed.breakout === null ? "moved to the main room" : "moved to a breakout room";
    case "ended":
      return "ended the call for everybody";
    case "settings":
      return `changed the settings (${pairs(deed.changed)})`;
    default:
      return `did “${(deed as { type: string }).type}”`;
  }
}

function pairs(changes: object): string {
  return Object.entries(changes)
    .map(([name, value]) => `${name}: ${value ?? "no limit"}`)
    .join(", ");
}
