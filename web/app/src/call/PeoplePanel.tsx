// Who is in the room, and how well; for who keeps order also what each may send.
import type { Participant, Quality, Role } from "@connect/sdk";
import {
  type Call,
  type CallState,
  type ConnectionQuality,
  keepsOrder,
  qualityOfReport,
} from "@connect/sdk/call";
import { useState } from "react";
import { BarsIcon, CameraIcon, MicrophoneIcon, MoreIcon } from "../ui/icons.tsx";
import { isolated } from "../ui/words.ts";
import { AskingList } from "./AskToSpeak.tsx";
import { AtTheDoor } from "./AtTheDoor.tsx";
import { AuditList } from "./AuditList.tsx";
import { Avatar } from "./Avatar.tsx";
import { BreakoutRooms } from "./BreakoutRooms.tsx";
import { HandsList } from "./Hands.tsx";
import { ModerateAll, Moderation } from "./Moderation.tsx";
import { ownRole } from "./own-role.ts";
import { RoomSettings } from "./RoomSettings.tsx";
import { SpotlightToggle } from "./SpotlightToggle.tsx";
import { TakeAccount } from "./TakeAccount.tsx";
import { AWAY, BARS, QUALITY } from "./words.ts";

export function PeoplePanel({ call, state }: { call: Call; state: CallState }) {
  const [open, setOpen] = useState<string | null>(null);
  const role = ownRole(state) ?? "viewer";
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so a keyboard has to get there.
    <section className="people-panel" aria-label="People in the call" tabIndex={0}>
      <TakeAccount call={call} state={state} />
      {keepsOrder(role) && <AtTheDoor call={call} />}
      {keepsOrder(role) && <AskingList call={call} state={state} />}
      <HandsList call={call} state={state} />
      {role === "host" && <RoomSettings call={call} settings={state.settings} />}
      {keepsOrder(role) && <ModerateAll call={call} />}
      <BreakoutRooms call={call} state={state} />
      {role === "host" && state.room !== null && <AuditList room={state.room.id} />}
      <ul className="people" aria-label="Everyone here">
        {state.participants.map((person) => {
          const isYou = person.id === state.you;
          const moderates = !isYou && decidesAbout(role, person.role);
          return (
            <li key={person.id} className="person">
              <div className="person-row">
                <Avatar name={person.name} id={person.id} />
                <Name person={person} isYou={isYou} />
                <Condition person={person} report={state.reports.get(person.id)} />
                {keepsOrder(role) && <SpotlightToggle call={call} person={person} />}
                {moderates && (
                  <button
                    type="button"
                    className="button quiet"
                    aria-label={`Moderate ${isolated(person.name)}`}
                    aria-expanded={open === person.id}
                    onClick={() => setOpen(open === person.id ? null : person.id)}
                  >
                    <MoreIcon />
                  </button>
                )}
              </div>
              {moderates && open === person.id && (
                <Moderation call={call} person={person} role={role} kind={state.settings.kind} />
              )}
            </li>
          );
        })}
      </ul>
    </section>
  );
}

/** A host decides about everybody, a moderator about those who keep no order. */
function decidesAbout(role: Role, other: Role): boolean {
  return role === "host" || (role === "moderator" && !keepsOrder(other));
}

const ROLE: Partial<Record<Role, string>> = {
  host: "Host",
  moderator: "Moderator",
  guest: "Guest",
  viewer: "Viewer",
};

function Name({ person, isYou }: { person: Participant; isYou: boolean }) {
  const details = [
    ROLE[person.role],
    person.guest && person.role !== "guest" && "Guest",
    person.region,
    person.role !== "viewer" && !person.caps.audio && "May not speak",
    person.publishing.screen && "Shares the screen",
  ];
  return (
    <span className="person-name">
      <bdi>{person.name}</bdi>
      {isYou && <span className="muted"> (you)</span>}
      <span className="muted small person-detail">{details.filter(Boolean).join(" · ")}</span>
    </span>
  );
}

/** How well somebody can be seen and heard, and whether they let others; or that they cannot now, whatever they let. */
function Condition({ person, report }: { person: Participant; report: Quality | undefined }) {
  const away = AWAY[person.connection];
  if (away !== null) {
    return (
      <span className="connection away">
        <BarsIcon count={0} />
        {away}
      </span>
    );
  }
  return (
    <>
      {report !== undefined && <Connection quality={qualityOfReport(report)} />}
      <Mark on={person.publishing.microphone} name="microphone" />
      <Mark on={person.publishing.camera} name="camera" />
    </>
  );
}

function Connection({ quality }: { quality: ConnectionQuality }) {
  return (
    <span className={`connection ${quality}`} role="img" aria-label={QUALITY[quality]}>
      <BarsIcon count={BARS[quality]} />
    </span>
  );
}

function Mark({ on, name }: { on: boolean; name: "microphone" | "camera" }) {
  const Icon = name === "microphone" ? MicrophoneIcon : CameraIcon;
  return (
    <span className={on ? "mark" : "mark off"} role="img" aria-label={`${name} ${on ? "on" : "off"}`}>
      <Icon off={!on} />
    </span>
  );
}
