// What was sent to a webhook, and what became of it.
import type { Delivery, DeliveryState } from "@connect/sdk";
import { useState } from "react";
import { useApi } from "../api-context.ts";
import { Wrong } from "./Secret.tsx";

const STATE: Record<DeliveryState, string> = {
  waiting: "waiting",
  delivered: "delivered",
  givenUp: "given up",
};

export function Deliveries({ webhook }: { webhook: string }) {
  const { developer } = useApi();
  const [shown, setShown] = useState<readonly Delivery[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  const load = () => {
    setError(null);
    developer.deliveries(webhook).then(setShown, setError);
  };
  return (
    <details onToggle={({ currentTarget }) => currentTarget.open && load()}>
      <summary>What was sent</summary>
      <Wrong error={error} />
      {shown?.length === 0 && <p className="muted small">Nothing yet.</p>}
      {shown !== null && shown.length > 0 && (
        <div className="deliveries">
          <table>
            <thead>
              <tr>
                <th>When</th>
                <th>What</th>
                <th>State</th>
                <th>Tries</th>
                <th>Answer</th>
              </tr>
            </thead>
            <tbody>
              {shown.map(({ id, at, event, state, tries, due, status, error }) => (
                <tr key={id}>
                  <td>{new Date(at).toLocaleString()}</td>
                  <td>{event}</td>
                  <td>
                    {STATE[state]}
                    {due !== null && tries > 0 && `, again at ${new Date(due).toLocaleTimeString()}`}
                  </td>
                  <td>{tries}</td>
                  <td>{error ?? status ?? "–"}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <button type="button" className="button quiet" onClick={load}>
        Look again
      </button>
    </details>
  );
}
