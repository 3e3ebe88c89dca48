// Keys to the API: made, shown once, revoked.
import type { KeyScope } from "@connect/sdk";
import { type FormEvent, useCallback, useState } from "react";
import { useApi } from "../api-context.ts";
import { Field } from "../ui/Field.tsx";
import { Choices, Secret, Wrong } from "./Secret.tsx";
import { useList } from "./use-list.ts";

const SCOPES: Record<KeyScope, string> = {
  "rooms:read": "See your rooms, and who is in them",
  "rooms:write": "Make, change and delete rooms",
  "tokens:write": "Let people in",
  "moderation:write": "Mute, remove and ban people, lock rooms, end calls",
  "data:write": "Send data to rooms",
  "webhooks:write": "See and change webhooks",
};

export function Keys() {
  const { developer } = useApi();
  const { items, error, run } = useList(useCallback(() => developer.keys(), [developer]));
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<KeyScope[]>([]);
  const [secret, setSecret] = useState<string | null>(null);

  const create = async (event: FormEvent) => {
    event.preventDefault();
    const created = await run(() => developer.createKey({ name, scopes }));
    if (created === null) return;
    setSecret(created.secret);
    setName("");
    setScopes([]);
  };

  return (
    <section aria-label="Keys">
      <h2>Keys</h2>
      <Wrong error={error} />
      {secret !== null && <Secret label="Your new key" value={secret} onDone={() => setSecret(null)} />}
      {items?.length === 0 && <p className="muted">You have no keys yet.</p>}
      <ul className="listed-things">
        {items?.map((key) => (
          <li key={key.id}>
            <div>
              <strong dir="auto">{key.name}</strong>
              <p className="muted small">{key.scopes.join(", ")}</p>
              <p className="muted small">{used(key.lastUsedAt)}</p>
            </div>
            <button
              type="button"
              className="button secondary"
              aria-label={`Revoke ${key.name}`}
              onClick={() => void run(() => developer.revokeKey(key.id))}
            >
              Revoke
            </button>
          </li>
        ))}
      </ul>
      <form onSubmit={(event) => void create(event)}>
        <Field
          label="What the new key is for"
          required
          maxLength={80}
          value={name}
          onChange={({ target }) => setName(target.value)}
        />
        <Choices legend="It may" choices={SCOPES} chosen={scopes} onChange={setScopes} />
        <button type="submit" className="button" disabled={scopes.length === 0}>
          Make a key
        </button>
      </form>
    </section>
  );
}

function used(at: number | null): string {
  return at === null ? "Never used" : `Last used ${new Date(at).toLocaleString()}`;
}
