// Raised hands: one's own, and everybody's in their order.
import { type Call, type CallState, keepsOrder } from "@connect/sdk/call";
import { useReadable } from "../api-context.ts";
import { HandIcon } from "../ui/icons.tsx";
import { isolated } from "../ui/words.ts";

export function HandToggle({ call, state }: { call: Call; state: CallState }) {
  const raised = useReadable(call.hands.state).some((id) => id === state.you);
  return (
    <button
      type="button"
      className="control opens"
      aria-label="Raise hand"
      aria-pressed={raised}
      title={raised ? "Lower your hand" : "Raise your hand"}
      onClick={() => (raised ? call.hands.lower() : call.hands.raise())}
    >
      <HandIcon />
      <span className="control-text">{raised ? "Lower hand" : "Raise hand"}</span>
    </button>
  );
}

/** Whose hands are up, the first first. */
export function HandsList({ call, state }: { call: Call; state: CallState }) {
  const hands = useReadable(call.hands.state);
  const lowers = keepsOrder(state.participants.find(({ id }) => id === state.you)?.role);
  const people = hands.flatMap((id) => state.participants.find((person) => person.id === id) ?? []);
  if (people.length === 0) return null;
  return (
    <section className="hands" aria-label="Raised hands">
      <h3>Raised hands</h3>
      <ol>
        {people.map(({ id, name }) => (
          <li key={id}>
            <bdi>{name}</bdi>
            {(lowers || id === state.you) && (
              <button
                type="button"
                className="button quiet"
                aria-label={`Lower the hand of ${isolated(name)}`}
                onClick={() => call.hands.lower(id)}
              >
                Lower
              </button>
            )}
          </li>
        ))}
      </ol>
      {lowers && (
        <button type="button" className="button secondary" onClick={() => call.hands.lowerAll()}>
          Lower all hands
        </button>
      )}
    </section>
  );
}
