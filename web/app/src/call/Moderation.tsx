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

export function Moderation({ call, person, role, kind }: ModerationProps) {
  const { moderation } = call;
  const [asking, setAsking] = useState(false);
  const { id, caps, publishing } = person;
  if (asking) {
    return <Removing call={call} person={person} role={role} onCancel={() => setAsking(false)} />;
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

interface RemovingProps {
  call: Call;
  person: Participant;
  role: Role;
  onCancel: () => void;
}

/** Asks whether somebody is to go, and says for what a ban holds: a guest is known by nothing but their browser. */
function Removing({ call, person, role, onCancel }: RemovingProps) {
  const { id, guest } = person;
  return (
    <div className="moderation">
      <span>
        Remove <bdi>{person.name}</bdi> from the room? Without a ban they may come back in ten minutes.
      </span>
      <Danger onClick={() => call.moderation.remove(id)}>Yes, remove</Danger>
      <Danger onClick={() => call.door.ban(id)}>Remove and ban</Danger>
      {guest && (
        <span>
          A ban of a guest holds for their browser: from a private window or another device they can come
          again.
          {role !== "host" && " The host can keep guests out, or lock the room."}
        </span>
      )}
      {guest && role === "host" && (
        <Danger
          onClick={() => {
            call.configure({ guests: false });
            call.door.ban(id);
          }}
        >
          Ban, and let no more guests in
        </Danger>
      )}
      <Action onClick={onCancel}>Cancel</Action>
    </div>
  );
}

function Danger({ onClick, children }: ActionProps) {
  return (
    <button type="button" className="button danger" onClick={onClick}>
      {children}
    </button>
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

interface ActionProps {
  onClick: () => void;
  children: ReactNode;
}

function Action({ onClick, children }: ActionProps) {
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
