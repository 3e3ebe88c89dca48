// A form that can fail: it is sent once at a time, and what was wrong is kept, also with which field.
import { ApiError } from "@connect/sdk";
import { type FormEvent, useState } from "react";

export interface SentForm {
  readonly busy: boolean;
  /** Why it failed; null while it has not. */
  readonly error: unknown;
  /** Whether the fields say what is wrong with them. */
  readonly namesFields: boolean;
  errorOf(field: string): string | undefined;
  readonly onSubmit: (event: FormEvent<HTMLFormElement>) => Promise<void>;
}

/** Does what the form is for with its fields; a rejection is kept. */
export function useForm(send: (fields: FormData) => Promise<unknown>): SentForm {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const onSubmit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (busy) return;
    const fields = new FormData(event.currentTarget);
    setBusy(true);
    setError(null);
    try {
      await send(fields);
    } catch (caught) {
      setError(caught);
    } finally {
      setBusy(false);
    }
  };
  return {
    busy,
    error,
    namesFields: error instanceof ApiError && (error.problem.errors ?? []).length > 0,
    errorOf: (field) => (error instanceof ApiError ? error.field(field) : undefined),
    onSubmit,
  };
}
