// My rooms.
import type { Room, User } from "@connect/sdk";
import { useCallback, useEffect, useState } from "react";
import { useApi } from "../api-context.ts";
import { Link } from "../router.tsx";
import { CreateRoom } from "./CreateRoom.tsx";
import { NotLoaded, Page } from "./Page.tsx";
import { RoomCard } from "./RoomCard.tsx";

export function HomePage({ user }: { user: User }) {
  const api = useApi();
  const [rooms, setRooms] = useState<readonly Room[] | null>(null);
  const [error, setError] = useState<unknown>(null);

  const load = useCallback(() => {
    setError(null);
    api.rooms().then(setRooms, setError);
  }, [api]);
  useEffect(load, [load]);
  const drop = (deleted: Room) => setRooms((rooms) => rooms?.filter(({ id }) => id !== deleted.id) ?? null);

  return (
    <Page
      title="Your rooms"
      beside={
        <div className="row">
          <bdi className="muted">{user.name}</bdi>
          <Link className="button quiet" to="/developers">
            Developers
          </Link>
          <Link className="button quiet" to="/account">
            Account
          </Link>
          {/* Signed out here in any case: what the server says to it changes nothing. */}
          <button type="button" className="button quiet" onClick={() => void api.logout().catch(() => {})}>
            Sign out
          </button>
        </div>
      }
    >
      <div className="home-head">
        <h1>Your rooms</h1>
        <CreateRoom />
        <Link className="button secondary" to="/rooms">
          Find a room
        </Link>
      </div>
      <NotLoaded what="Your rooms" error={error} again={load} />
      {rooms === null && error === null && <RoomsToCome />}
      {rooms?.length === 0 && (
        <div className="empty">
          <h2>No rooms yet</h2>
          <p className="muted">
            A room is a place with a link of its own. Make one and send its link around.
          </p>
        </div>
      )}
      {rooms !== null && rooms.length > 0 && (
        <ul className="rooms">
          {rooms.map((room) => (
            <RoomCard
              key={room.id}
              room={room}
              onDeleted={room.owner === user.id ? () => drop(room) : undefined}
            />
          ))}
        </ul>
      )}
    </Page>
  );
}

/** Holds the place of the list, so that nothing jumps when it comes. */
function RoomsToCome() {
  return (
    <div className="rooms" role="status" aria-label="Loading your rooms">
      {["first", "second", "third"].map((place) => (
        <div className="room to-come" key={place} />
      ))}
    </div>
  );
}
