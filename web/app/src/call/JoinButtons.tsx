// The way into a call: joining, giving that up, and what to do when one is in it already.
import { ApiError } from "@connect/sdk";
import type { Call, CallState, Joining } from "@connect/sdk/call";
import { type RefObject, useLayoutEffect, useRef, useState } from "react";
import { Field } from "../ui/Field.tsx";
import { wordsOf } from "../ui/words.ts";

interface JoinButtonsProps {
  call: Call;
  state: CallState;
  /** As how many participants one is in the room already, on other pages or devices. */
  yours: number;
}

export function JoinButtons({ call, state, yours }: JoinButtonsProps) {
  const join = useRef<HTMLButtonElement>(null);
  const { status } = state;
  const [password, setPassword] = useState("");
  const joining = status.name === "joining";
  const locked = useRef(false);
  // It stays while one tries.
  if (status.name === "failed") locked.current = wantsPassword(status.error);
  const go = (how: Joining = {}) => {
    const joins = locked.current ? { ...how, password } : how;
    if (!joining) call.join(...(Object.keys(joins).length > 0 ? [joins] : []));
  };
  if (status.name === "waiting") {
    return (
      <div className="join-buttons">
        <p className="notice" role="status">
          <strong>Waiting to be let in.</strong> Who keeps order in the call has been told that you are here.
          Keep this page open; you go in as soon as they let you.
        </p>
        <Cancel call={call} next={join} />
      </div>
    );
  }
  // While one joins, what was pressed stays in its place: so the keyboard keeps it.
  return (
    <div className="join-buttons">
      {status.name === "failed" && (
        <div className="alert" role="alert">
          <strong>You could not join</strong>
          <span>{wordsOf(status.error)}</span>
        </div>
      )}
      {locked.current && (
        <Field
          label="Room password"
          name="roomPassword"
          type="password"
          autoComplete="off"
          value={password}
          onChange={({ target }) => setPassword(target.value)}
          onKeyDown={({ key }) => key === "Enter" && go()}
        />
      )}
      {yours > 0 && (
        <p className="notice" role="status">
          You are in this call already, in another tab or on another device.
        </p>
      )}
      {yours > 0 && (
        <button
          type="button"
          className="button wide"
          aria-disabled={joining}
          onClick={() => go({ moveHere: true })}
        >
          Move the call here
        </button>
      )}
      <button
        ref={join}
        type="button"
        className={yours > 0 ? "button secondary wide" : "button wide"}
        aria-disabled={joining}
        onClick={() => go()}
      >
        {joining ? "Joining…" : joinWords(yours, status.name === "failed")}
      </button>
      {joining && <Cancel call={call} next={join} />}
    </div>
  );
}

/** Whether the room has a password, and this was not it. */
function wantsPassword(error: unknown): boolean {
  return error instanceof ApiError && /room-password/.test(error.problem.type);
}

/** Who is at this button when it goes away finds themselves at the next one. */
function Cancel({ call, next }: { call: Call; next: RefObject<HTMLButtonElement | null> }) {
  const button = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => {
    const own = button.current;
    return () => {
      if (document.activeElement === own) next.current?.focus();
    };
  }, [next]);
  return (
    <button ref={button} type="button" className="button secondary wide" onClick={() => call.cancel()}>
      Cancel
    </button>
  );
}

function joinWords(yours: number, failed: boolean): string {
  if (yours > 0) return "Join here as well";
  return failed ? "Try again" : "Join";
}
