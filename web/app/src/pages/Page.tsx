// The frame of a page outside of a call: its title, the logo and what is beside it, and the page itself.
import type { ReactNode } from "react";
import { Logo } from "../ui/Logo.tsx";
import { wordsOf } from "../ui/words.ts";

interface PageProps {
  title: string;
  /** What is beside the logo. */
  beside: ReactNode;
  children: ReactNode;
}

export function Page({ title, beside, children }: PageProps) {
  return (
    <>
      <title>{`${title} · Connect`}</title>
      <header className="top">
        <Logo />
        {beside}
      </header>
      <main className="home">{children}</main>
    </>
  );
}

/** Says that something could not be loaded, and why. */
export function NotLoaded({ what, error, again }: { what: string; error: unknown; again: () => void }) {
  if (error === null) return null;
  return (
    <div className="alert" role="alert">
      <strong>{what} could not be loaded</strong>
      <span>{wordsOf(error)}</span>
      <button type="button" className="button secondary" onClick={again}>
        Try again
      </button>
    </div>
  );
}
