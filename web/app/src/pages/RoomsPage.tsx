// Rooms that everybody with an account finds.
import type { ListedRoom } from "@connect/sdk";
import { useState } from "react";
import { Link } from "../router.tsx";
import { Field } from "../ui/Field.tsx";
import { NotLoaded, Page } from "./Page.tsx";
import "./rooms.css";
import { useDirectory } from "./use-directory.ts";

export function RoomsPage() {
  const [query, setQuery] = useState("");
  const [live, setLive] = useState(false);
  const { rooms, error, more, again } = useDirectory(query, live);
  return (
    <Page
      title="Rooms"
      beside={
        <Link className="button quiet" to="/">
          Your rooms
        </Link>
      }
    >
      <h1>Rooms</h1>
      <search className="directory-search">
        <Field
          label="Search by name"
          type="search"
          maxLength={80}
          autoComplete="off"
          value={query}
          onChange={(event) => setQuery(event.target.value)}
        />
        <label className="check">
          <input type="checkbox" checked={live} onChange={(event) => setLive(event.target.checked)} />
          Only rooms with people in them
        </label>
      </search>
      <NotLoaded what="The rooms" error={error} again={again} />
      <p className="muted small" role="status">
        {rooms !== null && found(rooms.length, more !== null)}
      </p>
      {rooms?.length === 0 && (
        <div className="empty">
          <h2>{query === "" && !live ? "No rooms are listed" : "No room was found"}</h2>
          <p className="muted">A room is listed here when its host says so in its settings.</p>
        </div>
      )}
      {rooms !== null && rooms.length > 0 && (
        <ul className="rooms">
          {rooms.map((room) => (
            <Listed key={room.id} room={room} />
          ))}
        </ul>
      )}
      {more !== null && (
        <button type="button" className="button secondary directory-more" onClick={more}>
          Show more
        </button>
      )}
    </Page>
  );
}

function found(count: number, isMore: boolean): string {
  const rooms = count === 1 ? "1 room" : `${count} rooms`;
  return isMore ? `${rooms}, and there are more` : rooms;
}

function Listed({ room }: { room: ListedRoom }) {
  const { id, name, people, locked, password } = room;
  const door = locked ? "Locked" : password ? "Asks for a password" : null;
  return (
    <li className="room listed">
      <Link className="room-link" to={`/call/${encodeURIComponent(id)}`}>
        <h2 dir="auto">{name}</h2>
        {people > 0 ? (
          <p className="live">{people === 1 ? "1 person here now" : `${people} people here now`}</p>
        ) : (
          <p className="muted small">Nobody here now</p>
        )}
        {door !== null && <p className="muted small">{door}</p>}
      </Link>
    </li>
  );
}
