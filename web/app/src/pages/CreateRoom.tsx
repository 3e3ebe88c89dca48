// Making a room: a button that unfolds into a form.

import { ApiError } from "@connect/sdk";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { useApi } from "../api-context.ts";
import { navigate } from "../router.tsx";
import { Field } from "../ui/Field.tsx";
import { PlusIcon } from "../ui/icons.tsx";
import { wordsOf } from "../ui/words.ts";
import { textOf } from "./AccountForm.tsx";

export function CreateRoom() {
  const [open, setOpen] = useState(false);
  if (open) return <CreateRoomForm onCancel={() => setOpen(false)} />;
  return (
    <button type="button" className="button" onClick={() => setOpen(true)}>
      <PlusIcon />
      Create Room
    </button>
  );
}

function CreateRoomForm({ onCancel }: { onCancel: () => void }) {
  const api = useApi();
  const input = useRef<HTMLInputElement>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const fieldError = error instanceof ApiError ? error.field("name") : undefined;

  // The user has just asked for this field.
  useEffect(() => {
    input.current?.focus();
  }, []);

  const create = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (busy) return;
    const name = textOf(new FormData(event.currentTarget), "roomName").trim();
    setBusy(true);
    setError(null);
    try {
      const room = await api.createRoom({ name });
      navigate(`/call/${encodeURIComponent(room.id)}`);
    } catch (caught) {
      setError(caught);
      setBusy(false);
    }
  };

  return (
    <form
      className="create-room"
      onSubmit={create}
      onKeyDown={(event) => {
        if (event.key === "Escape") onCancel();
      }}
    >
      <Field
        label="Room name"
        name="roomName"
        ref={input}
        required
        maxLength={80}
        autoComplete="off"
        placeholder="Monday stand-up"
        error={fieldError ?? (error === null ? undefined : wordsOf(error))}
      />
      <button type="submit" className="button" aria-disabled={busy}>
        Create
      </button>
      <button type="button" className="button quiet" onClick={onCancel}>
        Cancel
      </button>
    </form>
  );
}
