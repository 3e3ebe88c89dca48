// Breakout rooms among the people: who is in which, the way there, and for who keeps order all that is done about them.
import { type Breakout, MAX_BREAKOUT_SECONDS, type Participant } from "@connect/sdk";
import { type BreakoutsState, breakoutOf, type Call, type CallState, keepsOrder } from "@connect/sdk/call";
import { type FormEvent, useState } from "react";
import { useReadable } from "../api-context.ts";
import { Field } from "../ui/Field.tsx";
import { isolated } from "../ui/words.ts";
import { BreakoutForm } from "./BreakoutForm.tsx";
import { ownRole } from "./own-role.ts";
import { TimeLeft } from "./TimeLeft.tsx";

export function BreakoutRooms({ call, state }: { call: Call; state: CallState }) {
  const breakouts = useReadable(call.breakouts.state);
  const holds = keepsOrder(ownRole(state));
  if (breakouts.rooms.length === 0) {
    if (!holds) return null;
    return (
      <details className="breakouts">
        <summary>Breakout rooms</summary>
        <BreakoutForm people={state.participants} onMade={(draft) => call.breakouts.open(draft)} />
      </details>
    );
  }
  return (
    <section className="breakouts" aria-label="Breakout rooms">
      <h3>
        Breakout rooms
        {breakouts.endsAt !== null && (
          <span className="muted small">
            {" "}
            <TimeLeft endsAt={breakouts.endsAt} /> left
          </span>
        )}
      </h3>
      <ul className="breakout-list">
        <Place call={call} state={state} breakouts={breakouts} room={null} holds={holds} />
        {breakouts.rooms.map((room) => (
          <Place key={room.id} call={call} state={state} breakouts={breakouts} room={room} holds={holds} />
        ))}
      </ul>
      {holds && <Limit call={call} endsAt={breakouts.endsAt} />}
      {holds && <Announce call={call} />}
      {holds && (
        <button type="button" className="button secondary" onClick={() => call.breakouts.close()}>
          Bring everybody back
        </button>
      )}
    </section>
  );
}

interface PlaceProps {
  call: Call;
  state: CallState;
  breakouts: BreakoutsState;
  /** Null for the main room. */
  room: Breakout | null;
  holds: boolean;
}

/** One of the rooms, with those who are in it. */
function Place({ call, state: { you, participants }, breakouts, room, holds }: PlaceProps) {
  const id = room?.id ?? null;
  const people = participants.filter((person) => breakoutOf(breakouts, person.id) === id);
  const isHere = breakoutOf(breakouts, you) === id;
  const own = you === null ? undefined : breakouts.places.get(you)?.breakout;
  const may = holds || breakouts.assignment === "free" || id === null || id === own;
  const name = room?.name ?? "Main room";
  return (
    <li>
      <div className="breakout-head">
        <strong>
          <bdi>{name}</bdi>
        </strong>
        {isHere && <span className="muted small">You are here</span>}
        {!isHere && may && (
          <button
            type="button"
            className="button quiet"
            aria-label={`Go to ${isolated(name)}`}
            onClick={() => call.breakouts.move(id)}
          >
            Go
          </button>
        )}
      </div>
      {people.length === 0 && <p className="muted small">Nobody</p>}
      {people.length > 0 && (
        <ul className="breakout-people" aria-label={`In ${isolated(name)}`}>
          {people.map((person) => (
            <li key={person.id}>
              <bdi>{person.name}</bdi>
              {holds && <Move call={call} person={person} rooms={breakouts.rooms} at={id} />}
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}

interface MoveProps {
  call: Call;
  person: Participant;
  rooms: readonly Breakout[];
  at: number | null;
}

function Move({ call, person, rooms, at }: MoveProps) {
  return (
    <select
      aria-label={`Move ${isolated(person.name)} to`}
      value={at ?? ""}
      onChange={({ target }) =>
        call.breakouts.move(target.value === "" ? null : Number(target.value), person.id)
      }
    >
      <option value="">Main room</option>
      {rooms.map(({ id, name }) => (
        <option key={id} value={id}>
          {name}
        </option>
      ))}
    </select>
  );
}

/** How long they may be open at most. */
const LONGEST_MS = MAX_BREAKOUT_SECONDS * 1_000;

/** More time, less of it, or as much as one likes. */
function Limit({ call, endsAt }: { call: Call; endsAt: number | null }) {
  const more = () => {
    const left = endsAt === null ? 0 : Math.max(0, endsAt - Date.now());
    call.breakouts.limit(Math.round(Math.min(left + 5 * 60_000, LONGEST_MS) / 1_000));
  };
  return (
    <fieldset className="breakout-limit" aria-label="Time of the breakout rooms">
      <button type="button" className="button quiet" onClick={more}>
        {endsAt === null ? "End in 5 minutes" : "5 minutes more"}
      </button>
      <button type="button" className="button quiet" onClick={() => call.breakouts.limit(60)}>
        End in a minute
      </button>
      {endsAt !== null && (
        <button type="button" className="button quiet" onClick={() => call.breakouts.limit(null)}>
          No limit
        </button>
      )}
    </fieldset>
  );
}

function Announce({ call }: { call: Call }) {
  const [text, setText] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (text.trim() === "") return;
    call.breakouts.announce(text.trim());
    setText("");
  };
  return (
    <form className="breakout-announce" onSubmit={submit}>
      <Field label="Say to all rooms" value={text} onChange={({ target }) => setText(target.value)} />
      <button type="submit" className="button secondary">
        Say it
      </button>
    </form>
  );
}
