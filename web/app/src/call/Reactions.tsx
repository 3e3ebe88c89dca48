// Reactions: a few to choose from, and those that are shown now.
import type { Reaction } from "@connect/sdk";
import type { Call, CallState } from "@connect/sdk/call";
import { useReadable } from "../api-context.ts";
import { SmileIcon } from "../ui/icons.tsx";

const SIGNS: Record<Reaction, readonly [sign: string, words: string]> = {
  thumbsUp: ["👍", "Thumbs up"],
  thumbsDown: ["👎", "Thumbs down"],
  clap: ["👏", "Applause"],
  heart: ["❤️", "Heart"],
  laugh: ["😂", "Laughter"],
  surprise: ["😮", "Surprise"],
  party: ["🎉", "Party"],
};

export function ReactionMenu({ call }: { call: Call }) {
  return (
    <details className="reaction-menu">
      <summary className="control" aria-label="React">
        <SmileIcon />
        <span className="control-text">React</span>
      </summary>
      <div className="reaction-choices">
        {Object.entries(SIGNS).map(([reaction, [sign, words]]) => (
          <button
            key={reaction}
            type="button"
            className="button quiet"
            aria-label={words}
            onClick={() => call.reactions.show(reaction as Reaction)}
          >
            {sign}
          </button>
        ))}
      </div>
    </details>
  );
}

/** What people show now. */
export function ShownReactions({ call, state }: { call: Call; state: CallState }) {
  const shown = useReadable(call.reactions.state);
  const nameOf = (id: string) => state.participants.find((person) => person.id === id)?.name ?? "Somebody";
  return (
    <ul className="reactions" aria-label="Reactions" aria-live="polite">
      {shown.map(({ id, participant, reaction }) => {
        // One of a later release has no sign here.
        const [sign, words] = SIGNS[reaction] ?? ["•", "A reaction"];
        return (
          <li key={id}>
            <span role="img" aria-label={words}>
              {sign}
            </span>{" "}
            <bdi>{nameOf(participant)}</bdi>
          </li>
        );
      })}
    </ul>
  );
}
