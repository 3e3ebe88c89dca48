// In a call, which goes on without a session: says that it has ended, and leads to a new one.
import { useEffect } from "react";
import { useApi, useReadable } from "../api-context.ts";

export function SessionBanner() {
  const api = useApi();
  const account = useReadable(api.account);
  const ended = account.status === "ended";

  // Whoever comes back from another tab may have signed in there.
  useEffect(() => {
    if (!ended) return;
    const resume = () => void api.resume().catch(() => {});
    addEventListener("focus", resume);
    return () => removeEventListener("focus", resume);
  }, [api, ended]);

  if (!ended) return null;
  if (account.otherAccount) {
    return (
      <p className="banner">
        This browser is signed in to another account now. Your call goes on as <bdi>{account.user.name}</bdi>.
      </p>
    );
  }
  return (
    <p className="banner">
      You are signed out. Your call goes on; to come back should it break off,{" "}
      <a href="/login" target="_blank" rel="noopener">
        sign in in another tab
      </a>
      .
    </p>
  );
}
