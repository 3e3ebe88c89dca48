// The end of an account, once asked for.
import { ApiError } from "@connect/sdk";
import { type FormEvent, useState } from "react";
import { useApi } from "../api-context.ts";
import { Field } from "../ui/Field.tsx";
import { wordsOf } from "../ui/words.ts";
import { textOf } from "./AccountForm.tsx";
import { useDeed } from "./use-deed.ts";

export function DeleteAccount({ hasPassword }: { hasPassword: boolean }) {
  const { own } = useApi();
  const [asking, setAsking] = useState(false);
  const { busy, error, run } = useDeed();
  const wrong = error instanceof ApiError ? error.field("password") : undefined;
  const remove = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    run(() => own.delete(textOf(fields, "accountPassword")));
  };
  return (
    <section>
      <h2>Delete your account</h2>
      <p className="muted">
        Your rooms go with all that is in them, but for those that have a moderator: these are passed on. What
        you wrote in rooms of others stays there without your name. Nobody can undo this.
      </p>
      {asking ? (
        <form onSubmit={remove}>
          {hasPassword && (
            <Field
              label="Your password"
              name="accountPassword"
              type="password"
              autoComplete="current-password"
              required
              error={wrong}
            />
          )}
          {error !== null && wrong === undefined && (
            <p className="field-error" role="alert">
              {wordsOf(error)}
            </p>
          )}
          <div className="row">
            <button type="submit" className="button danger" aria-disabled={busy}>
              Delete for good
            </button>
            <button type="button" className="button secondary" onClick={() => setAsking(false)}>
              Cancel
            </button>
          </div>
        </form>
      ) : (
        <button type="button" className="button secondary" onClick={() => setAsking(true)}>
          Delete my account
        </button>
      )}
    </section>
  );
}
