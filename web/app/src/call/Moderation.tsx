// What one who keeps order may do about somebody: turn off, ask, forbid, limit, give a role, and send out of the room.
import type { CapsChange, Participant, Role, RoomKind } from "@connect/sdk";
import type { Call } from "@connect/sdk/call";
import { type ReactNode, useState } from "react";

type Kind = "audio" | "video" | "screen";

/** The words for taking something away, and for giving it back. */
const WORDS: Record<Kind, readonly [take: string, give: string]> = {
  audio: ["Forbid to speak", "Allow to speak"],
  video: ["Forbid video", "Allow video"],
  screen: ["Forbid screen sharing", "Allow screen sharing"],
};

const KINDS = ["audio", "video", "screen"] as const;

/** What is forwarded of somebody's video: a layer of three, and room for a screen beside it (bits per second). */
const QUALITIES = {
  Full: { maxLayer: null, maxBitrate: null },
  Medium: { maxLayer: 1, maxBitrate: 1_200_000 },
  Low: { maxLayer: 0, maxBitrate: 400_000 },
} satisfies Record<string, CapsChange>;
type QualityName = keyof typeof QUALITIES;

interface ModerationProps {
  call: Call;
  person: Participant;
  /** What one is oneself. */
  role: Role;
  kind: RoomKind;
}

export function Moderation({ call: { door, moderation }, person, role, kind }: ModerationProps) {
  const [asking, setAsking] = useState(false);
  const { id, caps, publishing } = person;
  if (asking) {
    return (
      <div className="moderation">
        <span>
          Remove <bdi>{person.name}</bdi> from the room?
        </span>
        <button type="button" className="button danger" onClick={() => moderation.remove(id)}>
          Yes, remove
        </button>
        <button type="button" className="button danger" onClick={() => door.ban(id)}>
          Remove and ban
        </button>
        <Action onClick={() => setAsking(false)}>Cancel</Action>
      </div>
    );
  }
  const isViewer = person.role === "viewer";
  return (
    <div className="moderation">
      {publishing.microphone && <Action onClick={() => moderation.turnOff(id, "microphone")}>Mute</Action>}
      {!publishing.microphone && !isViewer && (
        <Action onClick={() => moderation.askToUnmute(id)}>Ask to unmute</Action>
      )}
      {publishing.camera && <Action onClick={() => moderation.turnOff(id, "camera")}>Turn camera off</Action>}
      {publishing.screen && (
        <Action onClick={() => moderation.turnOff(id, "screen")}>End screen sharing</Action>
      )}
      {/* Whose video is forbidden shares no screen either: there is nothing more to take or to give back. */}
      {!isViewer &&
        KINDS.filter((name) => name !== "screen" || caps.video).map((name) => (
          <Action key={name} onClick={() => moderation.setCaps(id, { [name]: !caps[name] })}>
            {WORDS[name][caps[name] ? 0 : 1]}
          </Action>
        ))}
      {!isViewer && (
        <label className="moderation-quality">
          Video quality
          <select
            value={qualityOf(person)}
            onChange={({ target }) => moderation.setCaps(id, QUALITIES[target.value as QualityName])}
          >
            {Object.keys(QUALITIES).map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
      )}
      {rolesFor(person, role, kind).map(([words, next]) => (
        <Action key={words} onClick={() => moderation.setRole(id, next)}>
          {words}
        </Action>
      ))}
      <Action onClick={() => setAsking(true)}>Remove</Action>
    </div>
  );
}

/** What is done to everybody at once who does not keep order. */
export function ModerateAll({ call: { moderation } }: { call: Call }) {
  return (
    <div className="moderation">
      <Action onClick={() => moderation.muteAll("soft")}>Mute all</Action>
      <Action onClick={() => moderation.muteAll("hard")}>Forbid all to speak</Action>
      <Action onClick={() => moderation.muteAll("lifted")}>Allow all to speak</Action>
    </div>
  );
}

function Action({ onClick, children }: { onClick: () => void; children: ReactNode }) {
  return (
    <button type="button" className="button secondary" onClick={onClick}>
      {children}
    </button>
  );
}

/** Limits that others set count as the nearest of ours. */
function qualityOf({ caps }: Participant): QualityName {
  if (caps.maxLayer === 0) return "Low";
  return caps.maxLayer === 1 || caps.maxBitrate !== null ? "Medium" : "Full";
}

/** What somebody can be made by one of this role. */
function rolesFor(person: Participant, role: Role, kind: RoomKind): readonly (readonly [string, Role])[] {
  const choices: (readonly [string, Role])[] = [];
  if (person.role === "viewer") choices.push(["Bring on stage", "speaker"]);
  else if (kind === "webinar" && person.role !== "host") choices.push(["Back to the viewers", "viewer"]);
  if (role !== "host") return choices;
  if (person.role === "moderator") choices.push(["Make a speaker again", "speaker"]);
  else if (person.role !== "host") choices.push(["Make moderator", "moderator"]);
  return choices;
}
