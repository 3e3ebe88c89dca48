// Copies a room's address, and says so.
import { useEffect, useState } from "react";
import { LinkIcon } from "./icons.tsx";

const SHOWN_FOR_MS = 2_000;

export function CopyLink({ room, quiet = false }: { room: string; quiet?: boolean }) {
  const [result, setResult] = useState<"copied" | "failed" | null>(null);

  useEffect(() => {
    if (result === null) return;
    const timer = setTimeout(() => setResult(null), SHOWN_FOR_MS);
    return () => clearTimeout(timer);
  }, [result]);

  const copy = async () => {
    try {
      await navigator.clipboard.writeText(`${location.origin}/call/${encodeURIComponent(room)}`);
      setResult("copied");
    } catch {
      setResult("failed");
    }
  };

  const text = { copied: "Copied", failed: "Copy it from the address bar" };
  return (
    <button
      type="button"
      className={quiet ? "button quiet" : "button secondary"}
      onClick={copy}
      title="Copy link"
    >
      <LinkIcon />
      <span aria-live="polite" className={result === null ? "copy-words" : undefined}>
        {result === null ? "Copy link" : text[result]}
      </span>
    </button>
  );
}
