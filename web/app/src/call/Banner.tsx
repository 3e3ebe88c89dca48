// A banner that something can be done about: its words, and the button for it.
import type { ReactNode } from "react";

interface BannerProps {
  children: ReactNode;
  action: ReactNode;
  /** Where the banner stands outside of the others, which are announced together. */
  role?: "alert";
}

export function Banner({ children, action, role }: BannerProps) {
  return (
    <div className="banner with-action" role={role}>
      <div className="banner-words">{children}</div>
      {action}
    </div>
  );
}
