// Captions over the tiles: what is being said. A screen reader hears what is said to its end.
import type { Caption } from "@connect/sdk";
import type { Call, CallState } from "@connect/sdk/call";
import { useReadable } from "../api-context.ts";
import { isolated } from "../ui/words.ts";
import "./captions.css";

export function ShownCaptions({ call, state }: { call: Call; state: CallState }) {
  const { on, lines } = useReadable(call.captions.state);
  if (!on) return null;
  const words = (caption: Caption) => `${isolated(speakerOf(caption, state))}: `;
  const key = ({ by, id }: Caption) => `${by} ${id}`;
  return (
    <>
      <div className="captions" aria-hidden="true">
        {lines.map((caption) => (
          <p key={key(caption)} lang={caption.language} dir="auto">
            <b>{words(caption)}</b>
            {caption.text}
          </p>
        ))}
      </div>
      <div className="captions-log" role="log" aria-live="polite" aria-label="Captions">
        {lines
          .filter(({ final }) => final)
          .map((caption) => (
            <p key={key(caption)} lang={caption.language}>
              {words(caption)}
              {caption.text}
            </p>
          ))}
      </div>
    </>
  );
}

/** Whose words these are; where somebody else writes them down, who does, too. */
function speakerOf({ by, speaker }: Caption, { participants, you }: CallState): string {
  const nameOf = (id: string) =>
    id === you ? "You" : (participants.find((participant) => participant.id === id)?.name ?? "Somebody");
  if (speaker === null || speaker === by) return nameOf(by);
  return `${nameOf(speaker)} (written by ${nameOf(by)})`;
}
