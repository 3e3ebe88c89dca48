// Another password, for who knows the one of now.
import { ApiError } from "@connect/sdk";
import { type FormEvent, useState } from "react";
import { useApi } from "../api-context.ts";
import { Field } from "../ui/Field.tsx";
import { wordsOf } from "../ui/words.ts";
import { textOf } from "./AccountForm.tsx";
import { useDeed } from "./use-deed.ts";

export function ChangePassword() {
  const { own } = useApi();
  const [done, setDone] = useState(false);
  const { busy, error, run } = useDeed();
  const errorOf = (field: string) => (error instanceof ApiError ? error.field(field) : undefined);
  const isOfField = errorOf("password") !== undefined || errorOf("newPassword") !== undefined;
  const save = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const fields = new FormData(form);
    setDone(false);
    run(async () => {
      await own.changePassword(textOf(fields, "password"), textOf(fields, "newPassword"));
      form.reset();
      setDone(true);
    });
  };
  return (
    <section>
      <h2>Change your password</h2>
      <form onSubmit={save}>
        <Field
          label="Password of now"
          name="password"
          type="password"
          autoComplete="current-password"
          required
          error={errorOf("password")}
        />
        <Field
          label="New password"
          name="newPassword"
          type="password"
          autoComplete="new-password"
          minLength={8}
          required
          error={errorOf("newPassword")}
        />
        {error !== null && !isOfField && (
          <p className="field-error" role="alert">
            {wordsOf(error)}
          </p>
        )}
        <p className="muted small" role="status">
          {done ? "Saved. You are signed out everywhere else." : ""}
        </p>
        <button type="submit" className="button" aria-disabled={busy}>
          Change password
        </button>
      </form>
    </section>
  );
}
