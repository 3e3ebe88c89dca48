// Who is in the room.
import type { CallState } from "@connect/sdk/call";
import { CameraIcon, MicrophoneIcon } from "../ui/icons.tsx";
import { Avatar } from "./Avatar.tsx";

export function PeoplePanel({ state }: { state: CallState }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so a keyboard has to get there.
    <ul className="people" aria-label="Everyone here" tabIndex={0}>
      {state.participants.map((person) => (
        <li key={person.id} className="person">
          <Avatar name={person.name} id={person.id} />
          <span className="person-name">
            {person.name}
            {person.id === state.you && <span className="muted"> (you)</span>}
            <span className="muted small person-detail">
              {[person.role === "owner" && "Owner", person.region].filter(Boolean).join(" · ")}
            </span>
          </span>
          <Mark on={person.publishing.microphone} name="microphone" />
          <Mark on={person.publishing.camera} name="camera" />
        </li>
      ))}
    </ul>
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
