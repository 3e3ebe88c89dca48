// What signing in and signing up have in common: a card with a form that can fail.

import { ApiError } from "@connect/sdk";
import { type FormEvent, type ReactNode, useState } from "react";
import { Logo } from "../ui/Logo.tsx";
import { wordsOf } from "../ui/words.ts";

interface AccountFormProps {
  heading: string;
  lead: string;
  submit: string;
  /** How a failure is announced. */
  failure: string;
  /** Does it; a rejection is shown. */
  onSubmit: (fields: FormData) => Promise<unknown>;
  /** The inputs, given what is wrong with them. */
  children: (errorOf: (field: string) => string | undefined) => ReactNode;
  footer: ReactNode;
  /** Other ways to go on. */
  below?: ReactNode;
}

export function AccountForm({
  heading,
  lead,
  submit,
  failure,
  onSubmit,
  children,
  footer,
  below,
}: AccountFormProps) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const errorOf = (field: string) => (error instanceof ApiError ? error.field(field) : undefined);
  const namesFields = error instanceof ApiError && (error.problem.errors ?? []).length > 0;

  const send = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (busy) return;
    const fields = new FormData(event.currentTarget);
    setBusy(true);
    setError(null);
    try {
      await onSubmit(fields);
    } catch (caught) {
      setError(caught);
    } finally {
      setBusy(false);
    }
  };

  return (
    <main className="account">
      <title>{`${heading} · Connect`}</title>
      <div className="card">
        <Logo />
        <h1>{heading}</h1>
        <p className="muted">{lead}</p>
        <form onSubmit={send}>
          {error !== null && (
            <div className="alert" role="alert">
              <strong>{failure}</strong>
              <span>{namesFields ? "Please look at the fields below." : wordsOf(error)}</span>
            </div>
          )}
          {children(errorOf)}
          <button type="submit" className="button wide" aria-disabled={busy}>
            {submit}
          </button>
        </form>
        <p className="muted small">{footer}</p>
        {below}
      </div>
    </main>
  );
}

/** A text field of a form that was sent. */
export function textOf(fields: FormData, name: string): string {
  const value = fields.get(name);
  return typeof value === "string" ? value : "";
}
