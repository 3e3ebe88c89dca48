// How much time there is left, second by second.
import { useEffect, useState } from "react";
import { clockWords } from "./breakouts.ts";

export function TimeLeft({ endsAt }: { endsAt: number }) {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  // It is not read out second by second.
  return (
    <span role="timer" aria-live="off" aria-label="Time left">
      {clockWords(endsAt - now)}
    </span>
  );
}
