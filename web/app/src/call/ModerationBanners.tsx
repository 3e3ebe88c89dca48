// What a moderator has done to you, and asks of you.
import type { ParticipantId } from "@connect/sdk";
import type { Call, CallState } from "@connect/sdk/call";
import { useReadable } from "../api-context.ts";
import { Banner } from "./Banner.tsx";
import { TURNED_OFF } from "./words.ts";

export function ModerationBanners({ call, state }: { call: Call; state: CallState }) {
  const { moderation, local } = call;
  const { askedBy, turnedOff } = useReadable(moderation.state);
  const again = (device: "microphone" | "camera") => {
    moderation.dismiss();
    void local.turn(device, true);
  };
  return (
    <>
      {turnedOff !== null && askedBy === null && (
        <Banner
          action={
            <>
              {(turnedOff.source === "microphone" || turnedOff.source === "camera") && (
                <button
                  type="button"
                  className="button secondary"
                  onClick={() => again(turnedOff.source as "microphone")}
                >
                  {turnedOff.source === "microphone" ? "Unmute" : "Turn it on"}
                </button>
              )}
              <button type="button" className="button secondary" onClick={() => moderation.dismiss()}>
                OK
              </button>
            </>
          }
        >
          <p>
            <Name id={turnedOff.by} state={state} /> {TURNED_OFF[turnedOff.source]}.
          </p>
        </Banner>
      )}
      {askedBy !== null && (
        <Banner
          action={
            <>
              <button type="button" className="button" onClick={() => void moderation.unmute()}>
                Unmute
              </button>
              <button type="button" className="button secondary" onClick={() => moderation.decline()}>
                Not now
              </button>
            </>
          }
        >
          <p>
            <Name id={askedBy} state={state} /> asks you to unmute.
          </p>
        </Banner>
      )}
    </>
  );
}

/** Who may have gone meanwhile. */
function Name({ id, state: { participants } }: { id: ParticipantId; state: CallState }) {
  const name = participants.find((person) => person.id === id)?.name;
  return name === undefined ? "A moderator" : <bdi>{name}</bdi>;
}
