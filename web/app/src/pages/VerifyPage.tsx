// Where the link in a mail leads that confirms an address. It takes a click: programs that look at mails follow links, too.
import { useState } from "react";
import { useApi } from "../api-context.ts";
import { Link } from "../router.tsx";
import { wordsOf } from "../ui/words.ts";
import { Message } from "./Message.tsx";
import { useToken } from "./use-token.ts";

export function VerifyPage() {
  const { own } = useApi();
  const token = useToken();
  const [busy, setBusy] = useState(false);
  const [done, setDone] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const home = (
    <Link className="button secondary" to="/account">
      Go to your account
    </Link>
  );
  if (done) return <Message title="Your address is confirmed">{home}</Message>;
  if (error !== null)
    return (
      <Message title="Your address is not confirmed" detail={wordsOf(error)}>
        {home}
      </Message>
    );
  if (token === null)
    return (
      <Message title="This link is not whole" detail="Open it from the mail once more.">
        {home}
      </Message>
    );
  const confirm = () => {
    if (busy) return;
    setBusy(true);
    own
      .verify(token)
      .then(() => setDone(true), setError)
      .finally(() => setBusy(false));
  };
  return (
    <Message title="Confirm your address" detail="You said that it is the address of your account.">
      <button type="button" className="button" aria-disabled={busy} onClick={confirm}>
        Confirm
      </button>
    </Message>
  );
}
