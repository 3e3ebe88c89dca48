// What a button opens: shown until Escape, which gives the button the focus back, or a press somewhere else.
import { type KeyboardEvent, type RefObject, useEffect, useRef, useState } from "react";

export interface Opening {
  readonly open: boolean;
  /** The element around the button and what it opens. */
  readonly around: RefObject<HTMLDivElement | null>;
  readonly button: RefObject<HTMLButtonElement | null>;
  toggle(): void;
  /** Closes, and gives the button the focus. */
  close(): void;
  onKeyDown(event: KeyboardEvent): void;
}

export function useOpening(): Opening {
  const [open, setOpen] = useState(false);
  const around = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);

  useEffect(() => {
    if (!open) return;
    const closeOutside = ({ target }: Event) => {
      if (!around.current?.contains(target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", closeOutside);
    return () => document.removeEventListener("pointerdown", closeOutside);
  }, [open]);

  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || !open) return;
    // What is around it stays open.
    event.stopPropagation();
    close();
  };
  return { open, around, button, toggle: () => setOpen(!open), close, onKeyDown };
}
