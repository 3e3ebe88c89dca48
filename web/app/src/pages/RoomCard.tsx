// A room in the list: the way in, its link, and for its owner the way to delete it.
import type { Room } from "@connect/sdk";
import { useEffect, useRef, useState } from "react";
import { useApi } from "../api-context.ts";
import { Link } from "../router.tsx";
import { CopyLink } from "../ui/CopyLink.tsx";
import { isolated, wordsOf } from "../ui/words.ts";
import { absenceOf } from "./NoRoom.tsx";

const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });

/** `onDeleted` is there for the owner only. */
export function RoomCard({ room, onDeleted }: { room: Room; onDeleted?: (() => void) | undefined }) {
  const [asking, setAsking] = useState(false);
  return (
    <li className="room">
      <Link className="room-link" to={`/call/${encodeURIComponent(room.id)}`}>
        <h2 dir="auto">{room.name}</h2>
        <p className="muted small">{room.id}</p>
        {room.people > 0 ? (
          <p className="live">{room.people === 1 ? "1 person here now" : `${room.people} people here now`}</p>
        ) : (
          <p className="muted small">Opened {DAY.format(room.createdAt)}</p>
        )}
      </Link>
      {onDeleted !== undefined && asking ? (
        <DeleteQuestion room={room} onDeleted={onDeleted} onCancel={() => setAsking(false)} />
      ) : (
        <div className="room-actions">
          <CopyLink room={room.id} quiet />
          {onDeleted !== undefined && (
            <button
              type="button"
              className="button quiet"
              aria-label={`Delete ${isolated(room.name)}`}
              onClick={() => setAsking(true)}
            >
              Delete
            </button>
          )}
        </div>
      )}
    </li>
  );
}

interface Question {
  room: Room;
  onDeleted: () => void;
  onCancel: () => void;
}

function DeleteQuestion({ room, onDeleted, onCancel }: Question) {
  const api = useApi();
  const cancel = useRef<HTMLButtonElement>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);

  // The button that asked is gone; what a hasty key presses now changes nothing.
  useEffect(() => {
    cancel.current?.focus();
  }, []);

  const remove = async () => {
    if (busy) return;
    setBusy(true);
    setError(null);
    try {
      await api.deleteRoom(room.id);
      onDeleted();
    } catch (caught) {
      // Somebody was quicker, perhaps in another tab.
      if (absenceOf(caught) !== null) return onDeleted();
      setError(caught);
      setBusy(false);
    }
  };

  return (
    <fieldset
      className="room-question"
      onKeyDown={(event) => {
        if (event.key === "Escape") onCancel();
      }}
    >
      <legend>
        Delete <bdi>{room.name}</bdi>?
      </legend>
      <p className="muted small">Its link and its chat are gone then, and everybody in it is sent out.</p>
      {error !== null && (
        <p className="field-error" role="alert">
          {wordsOf(error)}
        </p>
      )}
      <div className="room-actions">
        <button type="button" className="button danger" aria-disabled={busy} onClick={remove}>
          Yes, delete
        </button>
        <button type="button" className="button secondary" ref={cancel} onClick={onCancel}>
          Cancel
        </button>
      </div>
    </fieldset>
  );
}
