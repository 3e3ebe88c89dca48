// Webhooks: made, tried, given another secret, enabled again, deleted.
import type { Endpoint, EndpointSecret, EventKind } from "@connect/sdk";
import { type FormEvent, useCallback, useState } from "react";
import { useApi } from "../api-context.ts";
import { Field } from "../ui/Field.tsx";
import { Deliveries } from "./Deliveries.tsx";
import { Choices, Secret, Wrong } from "./Secret.tsx";
import { type Listed, useList } from "./use-list.ts";

type Chosen = Exclude<EventKind, "test">;

const EVENTS: Record<Chosen, string> = {
  "room.started": "A call begins",
  "room.ended": "A call ends",
  "participant.joined": "Somebody comes",
  "participant.left": "Somebody leaves",
  "chat.message": "Somebody writes in the chat, for everybody",
};

export function Webhooks() {
  const { developer } = useApi();
  const { items, error, run } = useList(useCallback(() => developer.webhooks(), [developer]));
  const [url, setUrl] = useState("");
  const [events, setEvents] = useState<Chosen[]>([]);
  const [shown, setShown] = useState<EndpointSecret | null>(null);

  const create = async (event: FormEvent) => {
    event.preventDefault();
    const created = await run(() => developer.createWebhook({ url, events }));
    if (created === null) return;
    setShown(created);
    setUrl("");
    setEvents([]);
  };

  return (
    <section aria-label="Webhooks">
      <h2>Webhooks</h2>
      <Wrong error={error} />
      {shown !== null && (
        <Secret label={`The secret of ${shown.url}`} value={shown.secret} onDone={() => setShown(null)} />
      )}
      {items?.length === 0 && <p className="muted">You have no webhooks yet.</p>}
      <ul className="listed-things">
        {items?.map((webhook) => (
          <Webhook key={webhook.id} webhook={webhook} run={run} onSecret={setShown} />
        ))}
      </ul>
      <form onSubmit={(event) => void create(event)}>
        <Field
          label="Address of a new webhook"
          type="url"
          placeholder="https://"
          required
          maxLength={2048}
          value={url}
          onChange={({ target }) => setUrl(target.value)}
        />
        <Choices legend="It is told when" choices={EVENTS} chosen={events} onChange={setEvents} />
        <button type="submit" className="button" disabled={events.length === 0}>
          Make a webhook
        </button>
      </form>
    </section>
  );
}

interface WebhookProps {
  webhook: Endpoint;
  run: Listed<Endpoint>["run"];
  onSecret: (shown: EndpointSecret) => void;
}

function Webhook({ webhook, run, onSecret }: WebhookProps) {
  const { developer } = useApi();
  const { id, url, events, disabled, failingSince } = webhook;
  const rotate = async () => {
    const rotated = await run(() => developer.rotateSecret(id));
    if (rotated !== null) onSecret(rotated);
  };
  return (
    <li>
      <div>
        <strong className="address">{url}</strong>
        <p className="muted small">{events.join(", ")}</p>
        {disabled !== null && <p className="field-error">Disabled: {disabled}</p>}
        {disabled === null && failingSince !== null && (
          <p className="field-error">Nothing arrives since {new Date(failingSince).toLocaleString()}</p>
        )}
        <Deliveries webhook={id} />
      </div>
      <div className="row">
        {disabled === null ? (
          <button
            type="button"
            className="button secondary"
            onClick={() => void run(() => developer.testWebhook(id))}
          >
            Send a test
          </button>
        ) : (
          <button
            type="button"
            className="button secondary"
            onClick={() => void run(() => developer.changeWebhook(id, { enabled: true }))}
          >
            Enable
          </button>
        )}
        <button type="button" className="button quiet" onClick={() => void rotate()}>
          New secret
        </button>
        <button
          type="button"
          className="button quiet"
          aria-label={`Delete ${url}`}
          onClick={() => void run(() => developer.deleteWebhook(id))}
        >
          Delete
        </button>
      </div>
    </li>
  );
}
