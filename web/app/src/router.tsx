// Addresses and pages. Nine routes need no library: this is a twentieth of the smallest one that is well kept.
import { type ComponentProps, type MouseEvent, useEffect, useSyncExternalStore } from "react";

/** Where the browser is. */
export interface Place {
  readonly path: string;
  readonly search: string;
  /** The address that was asked for before the sign-in page came in between. */
  readonly from: string | null;
}

export type Route =
  | { readonly page: "home" | "missing" | Single }
  | { readonly page: "call"; readonly room: string };

/** Pages that are alone under their address. */
const SINGLE = ["rooms", "login", "register", "account", "developers", "reset", "verify"] as const;
type Single = (typeof SINGLE)[number];

/** The page at a path. */
export function routeOf(path: string): Route {
  const [first = "", second, ...rest] = path.split("/").filter((part) => part !== "");
  if (first === "") return { page: "home" };
  if (first === "call" && second !== undefined && rest.length === 0) {
    return { page: "call", room: decoded(second) };
  }
  const page = second === undefined ? SINGLE.find((page) => page === first) : undefined;
  return { page: page ?? "missing" };
}

/** Goes to an address of the app. */
export function navigate(to: string, options: { replace?: boolean; from?: string | null } = {}): void {
  const state = { from: options.from ?? null };
  if (options.replace) history.replaceState(state, "", to);
  else history.pushState(state, "", to);
  dispatchEvent(new PopStateEvent("popstate", { state }));
}

/** Where the browser is, followed. */
export function usePlace(): Place {
  // A text, so that equal places are the same to React.
  const key = useSyncExternalStore(subscribe, () =>
    JSON.stringify([location.pathname, location.search, fromOf(history.state)]),
  );
  const [path, search, from] = JSON.parse(key) as [string, string, string | null];
  return { path, search, from };
}

/** A link within the app. */
export function Link({ to, from, ...rest }: ComponentProps<"a"> & { to: string; from?: string | null }) {
  const follow = (event: MouseEvent) => {
    const wantsNewTab =
      event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.button !== 0;
    if (wantsNewTab) return;
    event.preventDefault();
    navigate(to, { from: from ?? null });
  };
  return <a {...rest} href={to} onClick={follow} />;
}

/** Leads on to another address as soon as it is drawn. */
export function Redirect({ to, from = null }: { to: string; from?: string | null }) {
  useEffect(() => navigate(to, { replace: true, from }), [to, from]);
  return null;
}

function subscribe(listener: () => void): () => void {
  addEventListener("popstate", listener);
  return () => removeEventListener("popstate", listener);
}

/** Only addresses of our own: the state is ours, but costs nothing to check. */
function fromOf(state: unknown): string | null {
  const from = typeof state === "object" && state !== null && "from" in state ? state.from : null;
  return typeof from === "string" && /^\/(?!\/)/.test(from) ? from : null;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
