// One's own account: the address, the password, the sessions, what is stored, and the end.
import type { AccountDetails, User } from "@connect/sdk";
import { useEffect, useState } from "react";
import { useApi } from "../api-context.ts";
import { Link } from "../router.tsx";
import { Logo } from "../ui/Logo.tsx";
import { wordsOf } from "../ui/words.ts";
import "./account.css";
import { ChangePassword } from "./ChangePassword.tsx";
import { DeleteAccount } from "./DeleteAccount.tsx";
import { Sessions } from "./Sessions.tsx";
import { useDeed } from "./use-deed.ts";

const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "long" });

export function AccountPage({ user }: { user: User }) {
  const { own } = useApi();
  const [details, setDetails] = useState<AccountDetails | null>(null);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    own.details().then(setDetails, setError);
  }, [own]);
  return (
    <>
      <title>Your account · Connect</title>
      <header className="top">
        <Logo />
        <Link className="button quiet" to="/">
          Your rooms
        </Link>
      </header>
      <main className="home own-account">
        <h1>Your account</h1>
        {error !== null && (
          <p className="field-error" role="alert">
            {wordsOf(error)}
          </p>
        )}
        <section>
          <h2 dir="auto">{user.name}</h2>
          <p>{user.email}</p>
          {details?.createdAt !== undefined && (
            <p className="muted small">Since {DAY.format(details.createdAt)}</p>
          )}
          {details !== null && <Address details={details} />}
        </section>
        <Sessions />
        {details?.hasPassword && <ChangePassword />}
        <Export />
        {details !== null && <DeleteAccount hasPassword={details.hasPassword} />}
      </main>
    </>
  );
}

function Address({ details }: { details: AccountDetails }) {
  const { own } = useApi();
  const [sent, setSent] = useState(false);
  const { busy, error, run } = useDeed();
  if (details.verifiedAt !== undefined) return <p className="muted small">The address is confirmed.</p>;
  return (
    <>
      <p className="muted small" role="status">
        {sent ? "A mail with a link is on its way." : "The address is not confirmed yet."}
      </p>
      {details.mail && !sent && (
        <button
          type="button"
          className="button secondary"
          aria-disabled={busy}
          onClick={() => run(async () => own.askToVerify().then(() => setSent(true)))}
        >
          Send me a mail to confirm it
        </button>
      )}
      {error !== null && (
        <p className="field-error" role="alert">
          {wordsOf(error)}
        </p>
      )}
    </>
  );
}

function Export() {
  const { own } = useApi();
  const { busy, error, run } = useDeed();
  const save = async () => {
    const data = await own.export();
    const url = URL.createObjectURL(new Blob([JSON.stringify(data, null, 2)], { type: "application/json" }));
    const link = document.createElement("a");
    link.href = url;
    link.download = "connect-account.json";
    link.click();
    URL.revokeObjectURL(url);
  };
  return (
    <section>
      <h2>Your data</h2>
      <p className="muted">
        What is stored of your account: who you are, your sessions, your rooms, and those that you were in.
      </p>
      <button type="button" className="button secondary" aria-disabled={busy} onClick={() => run(save)}>
        Save as a file
      </button>
      {error !== null && (
        <p className="field-error" role="alert">
          {wordsOf(error)}
        </p>
      )}
    </section>
  );
}
