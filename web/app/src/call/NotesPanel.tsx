// The notes that everybody in the room writes together: opened, shown, and saved as a file.
import type { Call, CallState, NotesDocument } from "@connect/sdk/call";
import { mayWriteNotes } from "@connect/sdk/call";
import { useEffect, useId, useState } from "react";
import { useReadable } from "../api-context.ts";
import { isolated } from "../ui/words.ts";
import { NotesField } from "./NotesField.tsx";
import "./notes.css";

export function NotesPanel({ call, state }: { call: Call; state: CallState }) {
  const [notes, setNotes] = useState<NotesDocument | null>(null);
  const [isLost, setLost] = useState(false);
  useEffect(() => {
    let close = () => {};
    let isOver = false;
    const opened = (opened: NotesDocument) => {
      close = opened.close;
      if (isOver) close();
      else setNotes(opened);
    };
    call.notes.open().then(opened, () => setLost(true));
    return () => {
      isOver = true;
      close();
    };
  }, [call]);
  if (isLost)
    return (
      <p className="notes">
        The notes could not be loaded. Close this panel and open it again, or load the page anew.
      </p>
    );
  if (notes === null) return <p className="notes muted">Opening the notes …</p>;
  return <OpenNotes notes={notes} state={state} />;
}

function OpenNotes({ notes, state }: { notes: NotesDocument; state: CallState }) {
  const { open, saved, lines, absent, untaken } = useReadable(notes.state);
  const hint = useId();
  const role = state.participants.find(({ id }) => id === state.you)?.role;
  const may = mayWriteNotes(role, state.settings);
  const others = state.participants.filter(({ id }) => lines.has(id));
  if (absent)
    return (
      <p className="notes">There are no notes in this room: it still runs an earlier version of Connect.</p>
    );
  return (
    <section className="notes" aria-label="Notes">
      <NotesField notes={notes} may={may && open} hint={hint} />
      <p id={hint} className="muted small">
        {may
          ? "Everybody in the room reads this."
          : "You can read the notes; only others write in them here."}
      </p>
      {others.length > 0 && (
        <ul className="notes-others muted small" aria-label="Who is in the notes">
          {others.map(({ id, name }) => (
            <li key={id}>{`${isolated(name)}: line ${lines.get(id)}`}</li>
          ))}
        </ul>
      )}
      {untaken !== null && (
        <details className="notes-untaken" open>
          <summary>{`What you wrote last was not taken: ${untaken.why}`}</summary>
          <textarea readOnly rows={4} aria-label="The notes as they were here" value={untaken.text} />
          <button type="button" className="button secondary" onClick={notes.dismiss}>
            Not needed
          </button>
        </details>
      )}
      <div className="notes-foot">
        <span role="status" className="muted small">
          {!open ? "Opening …" : saved ? "Saved." : "Not saved yet."}
        </span>
        <button type="button" className="button secondary" onClick={() => save(notes.text)}>
          Save as text
        </button>
      </div>
    </section>
  );
}

function save(text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  const link = Object.assign(document.createElement("a"), { href: url, download: "notes.txt" });
  link.click();
  // The browser has it by then.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
