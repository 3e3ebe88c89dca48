// For who keeps order: who waits to be let in, and who stays out.
import type { Call } from "@connect/sdk/call";
import { useReadable } from "../api-context.ts";
import { isolated } from "../ui/words.ts";
import { Banner } from "./Banner.tsx";

export function AtTheDoor({ call }: { call: Call }) {
  const { knocking, banned } = useReadable(call.door.state);
  return (
    <>
      {knocking.length > 0 && (
        <section className="at-the-door" aria-label="Waiting to be let in">
          <h3>Waiting to be let in</h3>
          <ul>
            {knocking.map(({ participant, name, guest }) => (
              <li key={participant}>
                <span>
                  <bdi>{name}</bdi>
                  {guest && <span className="muted"> (guest)</span>}
                </span>
                <button
                  type="button"
                  className="button secondary"
                  aria-label={`Admit ${isolated(name)}`}
                  onClick={() => call.door.admit(participant)}
                >
                  Admit
                </button>
                <button
                  type="button"
                  className="button quiet"
                  aria-label={`Refuse ${isolated(name)}`}
                  onClick={() => call.door.refuse(participant)}
                >
                  Refuse
                </button>
              </li>
            ))}
          </ul>
          {knocking.length > 1 && (
            <div className="row">
              <button type="button" className="button secondary" onClick={() => call.door.admit()}>
                Admit all
              </button>
              <button type="button" className="button quiet" onClick={() => call.door.refuse()}>
                Refuse all
              </button>
            </div>
          )}
        </section>
      )}
      {banned.length > 0 && (
        <section className="at-the-door" aria-label="Banned">
          <h3>Banned</h3>
          <ul>
            {banned.map(({ user, name }) => (
              <li key={user}>
                <bdi>{name}</bdi>
                <button
                  type="button"
                  className="button quiet"
                  aria-label={`Lift the ban on ${isolated(name)}`}
                  onClick={() => call.door.unban(user)}
                >
                  Lift the ban
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

/** That somebody waits, wherever one looks. */
export function Knocking({ call }: { call: Call }) {
  const { knocking } = useReadable(call.door.state);
  const [first] = knocking;
  if (first === undefined) return null;
  return (
    <Banner
      action={
        <button type="button" className="button secondary" onClick={() => call.door.admit()}>
          {knocking.length === 1 ? "Let in" : "Let all in"}
        </button>
      }
    >
      <p>
        <bdi>{first.name}</bdi>
        {knocking.length === 1 ? " waits" : ` and ${knocking.length - 1} more wait`} to be let in. You can
        refuse in <em>People</em>.
      </p>
    </Banner>
  );
}
