// For who has no account: the rooms that guests in this browser were in lately.
import { useState } from "react";
import { Link } from "../router.tsx";
import { forgetRooms, recentRooms } from "./recent.ts";
import "./rooms.css";

export function RecentRooms() {
  const [rooms, setRooms] = useState(() => recentRooms());
  if (rooms.length === 0) return null;
  const forget = () => {
    forgetRooms();
    setRooms([]);
  };
  return (
    <section className="recent" aria-label="Recent rooms">
      <h2>Where guests were lately in this browser</h2>
      <ul>
        {rooms.map(({ id, name }) => (
          <li key={id}>
            <Link to={`/call/${encodeURIComponent(id)}`} dir="auto">
              {name}
            </Link>
          </li>
        ))}
      </ul>
      <button type="button" className="button quiet" onClick={forget}>
        Forget them
      </button>
    </section>
  );
}
