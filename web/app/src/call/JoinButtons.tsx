// The way into a call: joining, giving that up, and what to do when one is in it already.
import type { Call, CallState } from "@connect/sdk/call";
import { wordsOf } from "../ui/words.ts";

interface JoinButtonsProps {
  call: Call;
  state: CallState;
  /** As how many participants one is in the room already, on other pages or devices. */
  yours: number;
}

export function JoinButtons({ call, state, yours }: JoinButtonsProps) {
  const { status } = state;
  if (status.name === "joining") {
    return (
      <div className="join-buttons">
        <button type="button" className="button wide" aria-disabled>
          Joining…
        </button>
        <button type="button" className="button secondary wide" onClick={() => call.cancel()}>
          Cancel
        </button>
      </div>
    );
  }
  const failed = status.name === "failed";
  return (
    <div className="join-buttons">
      {failed && (
        <div className="alert" role="alert">
          <strong>You could not join</strong>
          <span>{wordsOf(status.error)}</span>
        </div>
      )}
      {yours > 0 && (
        <p className="notice" role="status">
          You are in this call already, in another tab or on another device.
        </p>
      )}
      {yours > 0 && (
        <button type="button" className="button wide" onClick={() => call.join({ moveHere: true })}>
          Move the call here
        </button>
      )}
      <button
        type="button"
        className={yours > 0 ? "button secondary wide" : "button wide"}
        onClick={() => call.join()}
      >
        {joinWords(yours, failed)}
      </button>
    </div>
  );
}

function joinWords(yours: number, failed: boolean): string {
  if (yours > 0) return "Join here as well";
  return failed ? "Try again" : "Join";
}
