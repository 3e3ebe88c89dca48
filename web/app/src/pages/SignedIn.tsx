// What only those see who are signed in, and what becomes of it when their session ends.
import type { User } from "@connect/sdk";
import { type ReactNode, useState } from "react";
import { useApi, useReadable } from "../api-context.ts";
import { Link, Redirect, usePlace } from "../router.tsx";
import { isolated, wordsOf } from "../ui/words.ts";
import { Message } from "./Message.tsx";
import { Waiting } from "./Waiting.tsx";

interface SignedInProps {
  /** The page stays until it is left, whatever becomes of the session. */
  stays?: boolean;
  /** What is shown to who has not signed in, in place of the page for that. */
  otherwise?: ReactNode;
  children: (user: User) => ReactNode;
}

/** A page for who is signed in; others are led there. */
export function SignedIn({ stays = false, otherwise, children }: SignedInProps) {
  const account = useReadable(useApi().account);
  const { path, search } = usePlace();
  const [holder, setHolder] = useState<User | null>(null);
  if (account.status === "signedIn" && holder !== account.user) setHolder(account.user);

  if (account.status === "signedIn") return children(account.user);
  if (stays && holder !== null) return children(holder);
  if (account.status === "unknown") return <Unsettled problem={account.problem} />;
  if (account.status === "anonymous" && otherwise !== undefined) return otherwise;
  const from = path === "/" ? null : path + search;
  if (account.status === "ended" && account.otherAccount)
    return <OtherAccount user={account.user} from={from} />;
  return <Redirect to="/login" from={from} />;
}

function Unsettled({ problem }: { problem: unknown }) {
  const api = useApi();
  if (problem === null) return <Waiting />;
  return (
    <Message title="Connect is out of reach" detail={wordsOf(problem)}>
      <button type="button" className="button" onClick={() => void api.restore().catch(() => {})}>
        Try again
      </button>
    </Message>
  );
}

function OtherAccount({ user, from }: { user: User; from: string | null }) {
  const api = useApi();
  return (
    <Message
      title="Another account is signed in"
      detail={`This page was ${isolated(user.name)}'s. In another tab, this browser has signed in to another account.`}
    >
      <button type="button" className="button" onClick={() => void api.restore().catch(() => {})}>
        Go on with that account
      </button>
      <Link className="button secondary" to="/login" from={from}>
        <span>
          Sign in as <bdi>{user.name}</bdi>
        </span>
      </Link>
    </Message>
  );
}
