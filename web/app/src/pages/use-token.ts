// The token in the link of a mail: it stands behind the #, which no server is told, and goes from the address as soon as it is read.
import { useEffect, useState } from "react";

/** The token of the address, if there is one. */
export function useToken(): string | null {
  const [token] = useState(() => location.hash.slice(1));
  useEffect(() => {
    if (token !== "") history.replaceState(history.state, "", location.pathname + location.search);
  }, [token]);
  return token === "" ? null : token;
}
