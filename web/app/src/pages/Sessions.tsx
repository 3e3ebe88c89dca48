// Where one is signed in, and how to end that.
import type { SignIn } from "@connect/sdk";
import { useCallback, useEffect, useState } from "react";
import { useApi } from "../api-context.ts";
import { wordsOf } from "../ui/words.ts";
import { useDeed } from "./use-deed.ts";

const TIME = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

export function Sessions() {
  const { own } = useApi();
  const [sessions, setSessions] = useState<readonly SignIn[] | null>(null);
  const { busy, error, run } = useDeed();
  const load = useCallback(async () => setSessions(await own.sessions()), [own]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: loaded once, whatever becomes of the deed
  useEffect(() => run(load), [load]);
  const others = sessions?.filter(({ current }) => !current) ?? [];
  return (
    <section>
      <h2>Where you are signed in</h2>
      {error !== null && (
        <p className="field-error" role="alert">
          {wordsOf(error)}
        </p>
      )}
      <ul className="sessions">
        {sessions?.map((session) => (
          <li key={session.id}>
            <div>
              <strong>{session.browser || "Unknown"}</strong>
              <p className="muted small">
                {session.current ? "This browser" : `Last used ${TIME.format(session.usedAt)}`}
                {session.createdAt !== undefined && `, signed in ${TIME.format(session.createdAt)}`}
              </p>
            </div>
            {!session.current && (
              <button
                type="button"
                className="button quiet"
                aria-label={`Sign out ${session.browser || "unknown"}, last used ${TIME.format(session.usedAt)}`}
                aria-disabled={busy}
                onClick={() => run(() => own.endSession(session.id).finally(load))}
              >
                Sign out
              </button>
            )}
          </li>
        ))}
      </ul>
      {others.length > 0 && (
        <button
          type="button"
          className="button secondary"
          aria-disabled={busy}
          onClick={() => run(() => own.endOtherSessions().then(load))}
        >
          Sign out everywhere else
        </button>
      )}
    </section>
  );
}
