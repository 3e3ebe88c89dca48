// New breakout rooms: how many and how they are called, who comes into which, and for how long.
import {
  type BreakoutAssignment,
  type BreakoutDraft,
  MAX_BREAKOUT_NAME_BYTES,
  MAX_BREAKOUT_SECONDS,
  MAX_BREAKOUTS,
  type Participant,
  type ParticipantId,
} from "@connect/sdk";
import { type FormEvent, useState } from "react";
import { Field } from "../ui/Field.tsx";
import { isolated } from "../ui/words.ts";

const MAX_MINUTES = MAX_BREAKOUT_SECONDS / 60;
const bytes = new TextEncoder();

const WAYS: readonly (readonly [BreakoutAssignment, string])[] = [
  ["automatic", "Share everybody out"],
  ["byHand", "I say who goes where"],
  ["free", "Everybody chooses"],
];

interface BreakoutFormProps {
  people: readonly Participant[];
  onMade: (draft: BreakoutDraft) => void;
}

export function BreakoutForm({ people, onMade }: BreakoutFormProps) {
  const [count, setCount] = useState("2");
  const [named, setNamed] = useState<readonly string[]>([]);
  const [assignment, setAssignment] = useState<BreakoutAssignment>("automatic");
  const [chosen, setChosen] = useState<ReadonlyMap<ParticipantId, number>>(new Map());
  const [minutes, setMinutes] = useState("");
  const [wrong, setWrong] = useState<string | null>(null);

  const many = Math.min(MAX_BREAKOUTS, Math.max(0, Math.floor(Number(count)) || 0));
  const names = Array.from({ length: many }, (_, n) => named[n] ?? `Room ${n + 1}`);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const why = wrongIn(count, names, minutes);
    setWrong(why);
    if (why !== null) return;
    const byHand = assignment === "byHand" ? [...chosen] : [];
    const assigned = byHand
      .filter(([, nth]) => nth < many)
      .map(([participant, nth]) => ({ participant, nth }));
    const seconds = minutes === "" ? null : Math.round(Number(minutes) * 60);
    onMade({ names: names.map((name) => name.trim()), assignment, assigned, seconds });
  };
  const choose = (id: ParticipantId, value: string) => {
    const next = new Map(chosen);
    if (value === "") next.delete(id);
    else next.set(id, Number(value));
    setChosen(next);
  };

  return (
    <form className="breakout-form" onSubmit={submit} aria-label="New breakout rooms" noValidate>
      <Field
        label="How many"
        type="number"
        min={1}
        max={MAX_BREAKOUTS}
        value={count}
        onChange={({ target }) => setCount(target.value)}
      />
      {names.map((name, nth) => (
        <Field
          // biome-ignore lint/suspicious/noArrayIndexKey: a room is known by its place alone.
          key={nth}
          label={`Name of room ${nth + 1}`}
          value={name}
          onChange={({ target }) => setNamed(names.with(nth, target.value))}
        />
      ))}
      <fieldset className="breakout-ways">
        <legend>Who goes where</legend>
        {WAYS.map(([way, words]) => (
          <label key={way} className="poll-option">
            <input
              type="radio"
              name="assignment"
              checked={assignment === way}
              onChange={() => setAssignment(way)}
            />
            <span>{words}</span>
          </label>
        ))}
      </fieldset>
      {assignment === "byHand" &&
        people.map(({ id, name }) => (
          <label key={id} className="breakout-choice">
            <bdi>{name}</bdi>
            <select
              aria-label={`Room of ${isolated(name)}`}
              value={chosen.get(id) ?? ""}
              onChange={({ target }) => choose(id, target.value)}
            >
              <option value="">Main room</option>
              {names.map((name, nth) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: as above.
                <option key={nth} value={nth}>
                  {name}
                </option>
              ))}
            </select>
          </label>
        ))}
      <Field
        label="For how many minutes (empty: until you bring everybody back)"
        type="number"
        min={1}
        value={minutes}
        onChange={({ target }) => setMinutes(target.value)}
      />
      {wrong !== null && (
        <p className="field-error" role="alert">
          {wrong}
        </p>
      )}
      <button type="submit" className="button">
        Open breakout rooms
      </button>
    </form>
  );
}

/** Why these are no breakout rooms yet, in words; null when they are. */
function wrongIn(count: string, names: readonly string[], minutes: string): string | null {
  const asked = Number(count);
  const time = Number(minutes);
  if (!Number.isInteger(asked) || asked < 1 || asked > MAX_BREAKOUTS) {
    return `Choose 1 to ${MAX_BREAKOUTS} rooms.`;
  }
  if (names.some((name) => name.trim() === "")) return "Give each room a name.";
  if (names.some((name) => bytes.encode(name.trim()).length > MAX_BREAKOUT_NAME_BYTES)) {
    return "A name is too long.";
  }
  if (minutes !== "" && !(time >= 1 && time <= MAX_MINUTES)) return `Choose 1 to ${MAX_MINUTES} minutes.`;
  return null;
}
