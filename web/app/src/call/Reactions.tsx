// Reactions: a few to choose from, and those that are shown now.
import type { Reaction } from "@connect/sdk";
import type { Call, CallState } from "@connect/sdk/call";
import { useId } from "react";
import { useReadable } from "../api-context.ts";
import { SmileIcon } from "../ui/icons.tsx";
import { useOpening } from "./use-opening.ts";

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
  const { open, around, button, toggle, onKeyDown } = useOpening();
  const id = useId();
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the key closes what the button inside has opened.
    <div className="reaction-menu" ref={around} onKeyDown={onKeyDown}>
      <button
        ref={button}
        type="button"
        className="control opens"
        aria-label="React"
        aria-expanded={open}
        aria-controls={id}
        title="Show a reaction"
        onClick={toggle}
      >
        <SmileIcon />
        <span className="control-text">React</span>
      </button>
      <div id={id} className="reaction-choices" hidden={!open}>
        {Object.entries(SIGNS).map(([reaction, [sign, words]]) => (
          <button
            key={reaction}
            type="button"
            className="button quiet"
            aria-label={words}
            title={words}
            onClick={() => call.reactions.show(reaction as Reaction)}
          >
            {sign}
          </button>
        ))}
      </div>
    </div>
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
