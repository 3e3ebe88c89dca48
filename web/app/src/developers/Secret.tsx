// A secret that is shown once, to be taken along now; and what went wrong.
import { wordsOf } from "../ui/words.ts";

export function Secret({ label, value, onDone }: { label: string; value: string; onDone: () => void }) {
  return (
    <div className="alert" role="status">
      <strong>{label}</strong>
      <span>Copy it now: it is not shown again.</span>
      <output className="secret">{value}</output>
      <div className="row">
        <button
          type="button"
          className="button secondary"
          onClick={() => void navigator.clipboard?.writeText(value).catch(() => {})}
        >
          Copy
        </button>
        <button type="button" className="button quiet" onClick={onDone}>
          Done
        </button>
      </div>
    </div>
  );
}

export function Wrong({ error }: { error: unknown }) {
  if (error === null) return null;
  return (
    <div className="alert" role="alert">
      <strong>That did not work</strong>
      <span>{wordsOf(error)}</span>
    </div>
  );
}

export function Choices<T extends string>({
  legend,
  choices,
  chosen,
  onChange,
}: {
  legend: string;
  choices: Record<T, string>;
  chosen: readonly T[];
  onChange: (chosen: T[]) => void;
}) {
  return (
    <fieldset className="choices">
      <legend>{legend}</legend>
      {(Object.entries(choices) as [T, string][]).map(([choice, words]) => (
        <label key={choice} className="check">
          <input
            type="checkbox"
            checked={chosen.includes(choice)}
            onChange={({ target }) =>
              onChange(target.checked ? [...chosen, choice] : chosen.filter((other) => other !== choice))
            }
          />
          {words}
        </label>
      ))}
    </fieldset>
  );
}
