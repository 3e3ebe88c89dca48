// Something that somebody does by a button: one at a time, and what goes wrong is kept to be shown.
import { useState } from "react";

export function useDeed() {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const run = (deed: () => Promise<unknown>) => {
    if (busy) return;
    setBusy(true);
    setError(null);
    deed()
      .catch(setError)
      .finally(() => setBusy(false));
  };
  return { busy, error, run };
}
