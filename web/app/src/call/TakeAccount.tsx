// For a guest: an account, without leaving the call.
import { ApiError } from "@connect/sdk";
import type { Call, CallState } from "@connect/sdk/call";
import { type FormEvent, useState } from "react";
import { useApi, useReadable } from "../api-context.ts";
import { textOf } from "../pages/AccountForm.tsx";
import { Field } from "../ui/Field.tsx";
import { wordsOf } from "../ui/words.ts";

export function TakeAccount({ call, state }: { call: Call; state: CallState }) {
  const own = state.participants.find(({ id }) => id === state.you);
  return own?.guest ? <AsGuest call={call} name={own.name} /> : null;
}

/** What the guest is called goes with them, unless they want another name. */
function AsGuest({ call, name }: { call: Call; name: string }) {
  const account = useReadable(useApi().account);
  const [open, setOpen] = useState(false);
  if (account.status === "signedIn") {
    return (
      <div className="take-account">
        <p>You are here as a guest.</p>
        <button
          type="button"
          className="button secondary"
          onClick={() => void call.takeAccount().catch(() => {})}
        >
          <span>
            Go on as <bdi>{account.user.name}</bdi>
          </span>
        </button>
      </div>
    );
  }
  if (open) return <NewAccount call={call} name={name} onCancel={() => setOpen(false)} />;
  return (
    <div className="take-account">
      <p>You are here as a guest.</p>
      <button type="button" className="button secondary" onClick={() => setOpen(true)}>
        Create an account
      </button>
    </div>
  );
}

interface NewAccountProps {
  call: Call;
  name: string;
  onCancel: () => void;
}

function NewAccount({ call, name, onCancel }: NewAccountProps) {
  const api = useApi();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const errorOf = (field: string) => (error instanceof ApiError ? error.field(field) : undefined);
  const namesFields = error instanceof ApiError && (error.problem.errors ?? []).length > 0;

  const create = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (busy) return;
    const fields = new FormData(event.currentTarget);
    setBusy(true);
    setError(null);
    try {
      await api.register({
        name: textOf(fields, "name").trim(),
        email: textOf(fields, "email"),
        password: textOf(fields, "password"),
      });
      await call.takeAccount();
    } catch (caught) {
      setError(caught);
      setBusy(false);
    }
  };

  return (
    <form className="take-account" onSubmit={create}>
      {error !== null && !namesFields && (
        <div className="alert" role="alert">
          {wordsOf(error)}
        </div>
      )}
      <Field
        label="Name"
        name="name"
        autoComplete="name"
        required
        defaultValue={name}
        error={errorOf("name")}
      />
      <Field label="Email" name="email" type="email" autoComplete="email" required error={errorOf("email")} />
      <Field
        label="Password"
        name="password"
        type="password"
        autoComplete="new-password"
        required
        error={errorOf("password")}
      />
      <button type="submit" className="button" aria-disabled={busy}>
        Create account
      </button>
      <button type="button" className="button secondary" onClick={onCancel}>
        Cancel
      </button>
    </form>
  );
}
