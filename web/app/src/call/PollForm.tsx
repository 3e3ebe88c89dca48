// A new poll: its question, its options, and how it is held.
import { MAX_OPTION_BYTES, MAX_POLL_OPTIONS, MAX_QUESTION_BYTES, type PollDraft } from "@connect/sdk";
import { type FormEvent, useState } from "react";
import { Field } from "../ui/Field.tsx";

const FEWEST_OPTIONS = 2;
const bytes = new TextEncoder();

interface PollFormProps {
  onMade: (draft: PollDraft) => void;
  onCancel: () => void;
}

export function PollForm({ onMade, onCancel }: PollFormProps) {
  const [question, setQuestion] = useState("");
  const [options, setOptions] = useState(["", ""]);
  const [multiple, setMultiple] = useState(false);
  const [anonymous, setAnonymous] = useState(false);
  const [atClosing, setAtClosing] = useState(false);
  const [tried, setTried] = useState(false);

  const filled = options.map((option) => option.trim()).filter((option) => option !== "");
  const wrong = wrongIn(question.trim(), filled);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (wrong !== null) return;
    const shows = atClosing ? "atClosing" : "live";
    onMade({ question: question.trim(), options: filled, multiple, anonymous, shows });
  };

  return (
    <form className="poll" onSubmit={submit} aria-label="New poll" noValidate>
      <Field
        label="Question"
        value={question}
        onChange={(event) => setQuestion(event.target.value)}
        autoFocus
      />
      {options.map((option, number) => (
        <Field
          // biome-ignore lint/suspicious/noArrayIndexKey: an option is known by its place alone.
          key={number}
          label={`Option ${number + 1}`}
          value={option}
          onChange={(event) => setOptions(options.with(number, event.target.value))}
        />
      ))}
      {options.length < MAX_POLL_OPTIONS && (
        <button type="button" className="button quiet" onClick={() => setOptions([...options, ""])}>
          Add an option
        </button>
      )}
      <Check label="Several may be chosen" on={multiple} onChange={setMultiple} />
      <Check label="Anonymous: nobody sees who voted for what" on={anonymous} onChange={setAnonymous} />
      <Check label="Show results only when it is closed" on={atClosing} onChange={setAtClosing} />
      {tried && wrong !== null && (
        <p className="field-error" role="alert">
          {wrong}
        </p>
      )}
      <div className="poll-actions">
        <button type="submit" className="button">
          Start poll
        </button>
        <button type="button" className="button secondary" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </form>
  );
}

function Check({ label, on, onChange }: { label: string; on: boolean; onChange: (on: boolean) => void }) {
  return (
    <label className="poll-option">
      <input type="checkbox" checked={on} onChange={(event) => onChange(event.target.checked)} />
      <span>{label}</span>
    </label>
  );
}

/** Why this is no poll yet, in words; null when it is one. */
function wrongIn(question: string, options: readonly string[]): string | null {
  const size = (text: string) => bytes.encode(text).length;
  if (question === "") return "Write a question.";
  if (size(question) > MAX_QUESTION_BYTES) return "The question is too long.";
  if (options.length < FEWEST_OPTIONS) return "Write at least two options.";
  if (options.some((option) => size(option) > MAX_OPTION_BYTES)) return "An option is too long.";
  if (new Set(options).size < options.length) return "Two options are the same.";
  return null;
}
