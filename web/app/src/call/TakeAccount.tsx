// For a guest: an account, without leaving the call.
import type { Call, CallState } from "@connect/sdk/call";
import { useState } from "react";
import { useApi, useReadable } from "../api-context.ts";
import { textOf } from "../pages/AccountForm.tsx";
import { Field } from "../ui/Field.tsx";
import { useForm } from "../ui/use-form.ts";
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
  const { busy, error, namesFields, errorOf, onSubmit } = useForm(async (fields) => {
    await api.register({
      name: textOf(fields, "name").trim(),
      email: textOf(fields, "email"),
      password: textOf(fields, "password"),
    });
    await call.takeAccount();
  });

  return (
    <form className="take-account" onSubmit={onSubmit}>
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
