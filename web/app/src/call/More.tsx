// The rarer controls: beside the others where there is space, and under one button where there is not.
import { type MouseEvent, type ReactNode, useId } from "react";
import { MoreIcon } from "../ui/icons.tsx";
import { useOpening } from "./use-opening.ts";
import "./more.css";

interface MoreProps {
  /** How much is new below it; its button shows no number when it is 0. */
  badge: number;
  children: ReactNode;
}

export function More({ badge, children }: MoreProps) {
  const { open, around, button, toggle, close, onKeyDown } = useOpening();
  const id = useId();

  // Whatever is chosen is beyond it, but for what opens further choices.
  const closeOnChoice = ({ target }: MouseEvent) => {
    const chosen = (target as Element).closest("button");
    if (open && chosen !== null && !chosen.hasAttribute("aria-expanded")) close();
  };

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the key closes what the button inside has opened.
    <div className="more" ref={around} onKeyDown={onKeyDown}>
      <button
        ref={button}
        type="button"
        className="control opens news more-button"
        aria-label="More"
        aria-expanded={open}
        aria-controls={id}
        data-badge={badge || undefined}
        onClick={toggle}
      >
        <MoreIcon />
        <span className="control-text">More</span>
      </button>
      {/* biome-ignore lint/a11y/noStaticElementInteractions lint/a11y/useKeyWithClickEvents: the buttons inside take the keys. */}
      <div id={id} className={open ? "more-controls open" : "more-controls"} onClick={closeOnChoice}>
        {children}
      </div>
    </div>
  );
}
