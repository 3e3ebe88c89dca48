// Signing in at a provider of single sign-on, where there are some, and what came of it.
import { useEffect, useState } from "react";
import { useApi } from "../api-context.ts";

/** What the address of the sign-in page says of a sign-in at a provider that came to nothing. */
const FAILURES: Record<string, string> = {
  expired: "It took too long, or was begun in another window. Please try again.",
  denied: "The sign-in was not completed there. You can try again, or sign in another way.",
  provider: "The sign-in service did not answer as it should. Please try again in a moment.",
  rejected: "What the sign-in service sent could not be verified. Please tell whoever runs this site.",
  "no-address": "The sign-in service does not tell an e-mail address. Please tell whoever runs this site.",
  "too-many": "There were too many attempts from your network. Please try again in a few minutes.",
};

/** What came of a sign-in at a provider, if this is where it failed. */
export function SignOnFailure({ search }: { search: string }) {
  const failed = new URLSearchParams(search).get("failed");
  if (failed === null) return null;
  return (
    <div className="alert" role="alert">
      <strong>You are not signed in</strong>
      <span>{FAILURES[failed] ?? "Please try again."}</span>
    </div>
  );
}

/** The providers that one may sign in at, from where one comes back to this address. */
export function SignOn({ back }: { back: string }) {
  const api = useApi();
  const [providers, setProviders] = useState<readonly { id: string; name: string }[]>([]);
  useEffect(() => {
    const gone = new AbortController();
    api.ways({ signal: gone.signal }).then(
      ({ providers }) => setProviders(providers),
      // Who cannot be asked has no other ways; the form says what is wrong.
      () => {},
    );
    return () => gone.abort();
  }, [api]);
  if (providers.length === 0) return null;
  return (
    <section className="sign-on" aria-label="Other ways to sign in">
      {providers.map(({ id, name }) => (
        <a key={id} className="button secondary wide" href={api.signOnAddress(id, back)} dir="auto">
          Continue with {name}
        </a>
      ))}
    </section>
  );
}

/** Where a sign-in that failed at a provider was to lead: an address of our own, or nothing. */
export function backOf(search: string): string | null {
  const back = new URLSearchParams(search).get("return");
  return back !== null && /^\/(?![/\\])/.test(back) ? back : null;
}
