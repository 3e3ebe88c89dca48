// What the owner lets somebody send, and the way out of the room.
import type { Caps, Participant } from "@connect/sdk";
import type { Call } from "@connect/sdk/call";
import { useState } from "react";

type Kind = "audio" | "video" | "screen";

/** The words for taking something away, and for giving it back. */
const WORDS: Record<Kind, readonly [take: string, give: string]> = {
  audio: ["Mute", "Allow to speak"],
  video: ["Stop video", "Allow video"],
  screen: ["Stop screen sharing", "Allow screen sharing"],
};

/** Whose video is stopped shares no screen either: there is nothing more to take or to give back. */
const KINDS = ["audio", "video", "screen"] as const;

export function Moderation({ call, person }: { call: Call; person: Participant }) {
  const [asking, setAsking] = useState(false);
  const { caps } = person;
  const change = (kind: Kind) => {
    const changed: Caps = { ...caps, [kind]: !caps[kind] };
    call.setCaps(person.id, changed);
  };
  if (asking) {
    return (
      <div className="moderation">
        <span>
          Remove <bdi>{person.name}</bdi> from the room?
        </span>
        <button type="button" className="button danger" onClick={() => call.remove(person.id)}>
          Yes, remove
        </button>
        <button type="button" className="button secondary" onClick={() => setAsking(false)}>
          Cancel
        </button>
      </div>
    );
  }
  return (
    <div className="moderation">
      {KINDS.filter((kind) => kind !== "screen" || caps.video).map((kind) => (
        <button key={kind} type="button" className="button secondary" onClick={() => change(kind)}>
          {WORDS[kind][caps[kind] ? 0 : 1]}
        </button>
      ))}
      <button type="button" className="button secondary" onClick={() => setAsking(true)}>
        Remove
      </button>
    </div>
  );
}
