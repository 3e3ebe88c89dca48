// A new password for who forgot theirs: by a mail, and by the link in it.
import { useState } from "react";
import { useApi } from "../api-context.ts";
import { Link } from "../router.tsx";
import { Field } from "../ui/Field.tsx";
import { AccountForm, textOf } from "./AccountForm.tsx";
import { Message } from "./Message.tsx";
import { useToken } from "./use-token.ts";

export function ResetPage() {
  const token = useToken();
  return token === null ? <AskForMail /> : <ChoosePassword token={token} />;
}

function AskForMail() {
  const { own } = useApi();
  const [asked, setAsked] = useState(false);
  if (asked)
    return (
      <Message
        title="Look into your mail"
        detail="If there is an account with this address, a mail is on its way to it. Its link is good for half an hour."
      >
        <Link className="button secondary" to="/login">
          Back to signing in
        </Link>
      </Message>
    );
  return (
    <AccountForm
      heading="Forgot your password?"
      lead="We send you a mail with a link to choose a new one."
      submit="Send the mail"
      failure="The mail was not sent"
      onSubmit={async (fields) => {
        await own.askToReset(textOf(fields, "email"));
        setAsked(true);
      }}
      footer={<Link to="/login">Back to signing in</Link>}
    >
      {(errorOf) => (
        <Field
          label="Email"
          name="email"
          type="email"
          autoComplete="username"
          required
          error={errorOf("email")}
        />
      )}
    </AccountForm>
  );
}

function ChoosePassword({ token }: { token: string }) {
  const { own } = useApi();
  const [done, setDone] = useState(false);
  if (done)
    return (
      <Message title="You have a new password" detail="All sessions of before are ended.">
        <Link className="button" to="/login">
          Sign in
        </Link>
      </Message>
    );
  return (
    <AccountForm
      heading="Choose a new password"
      lead="You sign in with it from now on, everywhere."
      submit="Save"
      failure="The password was not saved"
      onSubmit={async (fields) => {
        await own.reset(token, textOf(fields, "password"));
        setDone(true);
      }}
      footer={<Link to="/login">Back to signing in</Link>}
    >
      {(errorOf) => (
        <Field
          label="New password"
          name="password"
          type="password"
          autoComplete="new-password"
          minLength={8}
          required
          error={errorOf("password")}
        />
      )}
    </AccountForm>
  );
}
