// Captions over the tiles: what is being said. A screen reader hears what is said to its end.
import type { Caption } from "@connect/sdk";
import type { Call, CallState } from "@connect/sdk/call";
import { useReadable } from "../api-context.ts";
import { isolated } from "../ui/words.ts";
import "./captions.css";

interface ShownCaptionsProps {
  call: Call;
  state: CallState;
}

export function ShownCaptions({ call, state }: ShownCaptionsProps) {
  const { on, lines } = useReadable(call.captions.state);
  if (!on) return null;
  const words = (caption: Caption) => `${isolated(speakerOf(caption, state))}: `;
  return (
    <>
      <CaptionLines className="captions" call={call} state={state} />
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

/** The same in an open panel, where that lies over the stage. */
export function PanelCaptions({ call, state }: ShownCaptionsProps) {
  const { on } = useReadable(call.captions.state);
  return on && <CaptionLines className="captions in-panel" call={call} state={state} />;
}

/** As they are read. A screen reader has the log. */
function CaptionLines({ className, call, state }: ShownCaptionsProps & { className: string }) {
  const { lines } = useReadable(call.captions.state);
  return (
    <div className={className} aria-hidden="true">
      {lines.map((caption) => (
        <p key={key(caption)} lang={caption.language} dir="auto">
          <b>{`${isolated(speakerOf(caption, state))}: `}</b>
          {caption.text}
        </p>
      ))}
    </div>
  );
}

const key = ({ by, id }: Caption) => `${by} ${id}`;

/** Whose words these are; where somebody else writes them down, who does, too. */
function speakerOf({ by, speaker }: Caption, { participants, you }: CallState): string {
  const nameOf = (id: string) =>
    id === you ? "You" : (participants.find((participant) => participant.id === id)?.name ?? "Somebody");
  if (speaker === null || speaker === by) return nameOf(by);
  return `${nameOf(speaker)} (written by ${nameOf(by)})`;
}
