// What signing in and signing up have in common: a card with a form that can fail.
import type { ReactNode } from "react";
import { Logo } from "../ui/Logo.tsx";
import { useForm } from "../ui/use-form.ts";
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
  /** What there is to know before one begins. */
  notice?: ReactNode;
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
  notice,
  below,
}: AccountFormProps) {
  const form = useForm(onSubmit);

  return (
    <main className="account">
      <title>{`${heading} · Connect`}</title>
      <div className="card">
        <Logo />
        <h1>{heading}</h1>
        <p className="muted">{lead}</p>
        <form onSubmit={form.onSubmit}>
          {form.error === null && notice}
          {form.error !== null && (
            <div className="alert" role="alert">
              <strong>{failure}</strong>
              <span>{form.namesFields ? "Please look at the fields below." : wordsOf(form.error)}</span>
            </div>
          )}
          {children(form.errorOf)}
          <button type="submit" className="button wide" aria-disabled={form.busy}>
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
