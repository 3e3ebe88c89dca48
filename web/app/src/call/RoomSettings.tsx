// For the host: how the room is set, and its password.
import { MAX_CHAT_DAYS, MAX_CHAT_LINES, type Settings, type SettingsChange } from "@connect/sdk";
import type { Call } from "@connect/sdk/call";
import { type FormEvent, useState } from "react";
import { textOf } from "../pages/AccountForm.tsx";
import { Field } from "../ui/Field.tsx";

const SWITCHES = [
  ["lobby", "Who comes waits to be let in"],
  ["locked", "Locked: nobody comes any more"],
  ["guests", "Guests may come, without an account"],
  ["listed", "Listed: everybody with an account finds this room, by its name"],
  ["permanent", "Permanent: the room stays although nobody uses it"],
] as const;

const AUDIENCES = [
  ["chat", "Only moderators write in the chat"],
  ["notes", "Only moderators write in the notes"],
  ["captions", "Only moderators feed captions"],
  ["share", "Only moderators share their screen"],
  ["speak", "Only moderators speak"],
] as const;

export function RoomSettings({ call, settings }: { call: Call; settings: Settings }) {
  const [saved, setSaved] = useState(false);
  const save = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    call.configure(changeOf(fields));
    const password = textOf(fields, "password");
    if (password !== "") call.door.setPassword(password);
    else if (fields.has("noPassword")) call.door.setPassword(null);
    setSaved(true);
  };
  return (
    <details className="room-settings">
      <summary>Room settings</summary>
      {/* What the room says anew is shown anew. */}
      <form key={JSON.stringify(settings)} onSubmit={save} onChange={() => setSaved(false)}>
        {SWITCHES.map(([name, words]) => (
          <Check key={name} name={name} words={words} checked={settings[name]} />
        ))}
        {AUDIENCES.map(([name, words]) => (
          <Check key={name} name={name} words={words} checked={settings[name] === "moderators"} />
        ))}
        <Check name="webinar" words="Webinar: who comes only watches" checked={settings.kind === "webinar"} />
        <Field
          label="Most people (empty for no limit of its own)"
          name="capacity"
          type="number"
          min={1}
          defaultValue={settings.capacity || ""}
        />
        <Field
          label="Opens at (empty: open now)"
          name="opensAt"
          type="datetime-local"
          defaultValue={localTime(settings.opensAt)}
        />
        <Field
          label="Keep chat for so many days"
          name="chatDays"
          type="number"
          min={1}
          max={MAX_CHAT_DAYS}
          required
          defaultValue={settings.chatDays}
        />
        <Field
          label="Keep at most so many lines of chat"
          name="chatLines"
          type="number"
          min={1}
          max={MAX_CHAT_LINES}
          required
          defaultValue={settings.chatLines}
        />
        <Field
          label={settings.hasPassword ? "Another password" : "Password"}
          name="password"
          type="password"
          autoComplete="off"
          maxLength={128}
        />
        {settings.hasPassword && <Check name="noPassword" words="No password any more" checked={false} />}
        <button type="submit" className="button secondary">
          Save
        </button>
        <span role="status">{saved && "Saved."}</span>
      </form>
    </details>
  );
}

function Check({ name, words, checked }: { name: string; words: string; checked: boolean }) {
  return (
    <label className="check">
      <input type="checkbox" name={name} defaultChecked={checked} />
      {words}
    </label>
  );
}

function changeOf(fields: FormData): SettingsChange {
  const audience = (name: string) => (fields.has(name) ? "moderators" : "everybody");
  return {
    lobby: fields.has("lobby"),
    locked: fields.has("locked"),
    guests: fields.has("guests"),
    chat: audience("chat"),
    notes: audience("notes"),
    captions: audience("captions"),
    share: audience("share"),
    speak: audience("speak"),
    listed: fields.has("listed"),
    permanent: fields.has("permanent"),
    chatDays: Number(textOf(fields, "chatDays")),
    chatLines: Number(textOf(fields, "chatLines")),
    kind: fields.has("webinar") ? "webinar" : "meeting",
    capacity: Number(textOf(fields, "capacity")) || 0,
    opensAt: new Date(textOf(fields, "opensAt")).getTime() || 0,
  };
}

/** A time as its input takes it: here and without a zone. */
function localTime(at: number): string {
  if (!at) return "";
  const offset = new Date(at).getTimezoneOffset() * 60_000;
  return new Date(at - offset).toISOString().slice(0, 16);
}
