// While a page is on its way: nothing at first, then words and ways out.
import { useEffect, useState } from "react";
import { NoPage } from "./NoPage.tsx";

/** What is here within this time needs no word. */
const PATIENCE_MS = 8_000;

export function Waiting() {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, []);
  if (!late) return <div className="waiting" role="status" aria-label="Loading" />;
  return (
    <NoPage
      title="This takes longer than it should"
      detail="Check your network. The page opens as soon as it is here."
    />
  );
}
