// The field in which the notes are written: the browser's own, kept in step with what everybody writes. The caret and what is
// selected stay where they are in the text.
import type { NotesDocument } from "@connect/sdk/call";
import { type KeyboardEvent, useEffect, useRef } from "react";

interface NotesFieldProps {
  notes: NotesDocument;
  may: boolean;
  /** The id of what describes it. */
  hint: string;
}

export function NotesField({ notes, may, hint }: NotesFieldProps) {
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    const { current } = field;
    if (current === null) return;
    current.value = notes.text;
    // Heard from the field itself: React takes what comes to a value that it has seen before for no change.
    const written = () => notes.write(current.value, current.selectionEnd);
    current.addEventListener("input", written);
    const stop = notes.listen((changes) => {
      if (changes === null) current.value = notes.text;
      for (const { at, removed, inserted } of changes ?? []) {
        current.setRangeText(inserted, at, at + removed, "preserve");
      }
    });
    return () => {
      stop();
      current.removeEventListener("input", written);
      notes.release();
      notes.point(null);
    };
  }, [notes]);
  return (
    <textarea
      ref={field}
      className="notes-field"
      aria-label="Shared notes"
      aria-describedby={hint}
      readOnly={!may}
      dir="auto"
      spellCheck
      onCompositionStart={() => notes.hold()}
      onCompositionEnd={() => notes.release()}
      onKeyDown={(event) => may && undoes(event, notes)}
      onSelect={() => notes.point(field.current?.selectionEnd ?? null)}
      onBlur={() => notes.point(null)}
    />
  );
}

/** The browser's own undo knows nothing of the others: ours takes back one's own alone. */
function undoes(event: KeyboardEvent, notes: NotesDocument): void {
  if (event.altKey || !(event.ctrlKey || event.metaKey)) return;
  const key = event.key.toLowerCase();
  if (key !== "z" && key !== "y") return;
  event.preventDefault();
  if (key === "y" || event.shiftKey) notes.redo();
  else notes.undo();
}
