// A page that says one thing.
import type { ReactNode } from "react";
import { Logo } from "../ui/Logo.tsx";

interface MessageProps {
  title: string;
  detail?: string | undefined;
  /** What can be done about it. */
  children?: ReactNode;
}

export function Message({ title, detail, children }: MessageProps) {
  return (
    <main className="message">
      <title>{`${title} · Connect`}</title>
      <Logo />
      <h1>{title}</h1>
      {detail !== undefined && <p className="muted">{detail}</p>}
      <div className="row">{children}</div>
    </main>
  );
}
