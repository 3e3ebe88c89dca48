// In which breakout room one is and for how long, the way back, and what is said to all of them.
import { breakoutOf, type Call, type CallState } from "@connect/sdk/call";
import { useReadable } from "../api-context.ts";
import { Banner } from "./Banner.tsx";
import { ownRoom } from "./breakouts.ts";
import { TimeLeft } from "./TimeLeft.tsx";

export function BreakoutBanners({ call, state: { you } }: { call: Call; state: CallState }) {
  const breakouts = useReadable(call.breakouts.state);
  const { broadcast, endsAt, places } = breakouts;
  const name = ownRoom(breakouts, you);
  const here = breakoutOf(breakouts, you);
  const own = you === null ? undefined : places.get(you);
  return (
    <>
      {broadcast !== null && (
        <Banner
          action={
            <button type="button" className="button secondary" onClick={() => call.breakouts.dismiss()}>
              Close
            </button>
          }
        >
          <p>
            <strong>
              <bdi>{broadcast.name}</bdi> to all rooms:
            </strong>{" "}
            <bdi>{broadcast.text}</bdi>
          </p>
        </Banner>
      )}
      {name !== null && (
        <Banner
          action={
            <button
              type="button"
              className="button secondary"
              onClick={() => call.breakouts.move(here === null ? (own?.breakout ?? null) : null)}
            >
              {here === null ? "Go there" : "Back to the main room"}
            </button>
          }
        >
          <p>
            {here === null
              ? "You are in the main room. Your breakout room: "
              : "You are in the breakout room "}
            <bdi>{name}</bdi>
            {endsAt !== null && (
              <>
                {" · "}
                <TimeLeft endsAt={endsAt} /> left
              </>
            )}
          </p>
        </Banner>
      )}
    </>
  );
}
