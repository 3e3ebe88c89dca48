// What is to be known in a call and can be acted on: it is on elsewhere too, its media is blocked, a moderator has done or asked
// something, something was refused.
import { type Call, type CallState, elsewhereOf, keepsOrder } from "@connect/sdk/call";
import { useEffect } from "react";
import { useReadable } from "../api-context.ts";
import { sentence } from "../ui/words.ts";
import { StageBanners } from "./AskToSpeak.tsx";
import { Knocking } from "./AtTheDoor.tsx";
import { Banner } from "./Banner.tsx";
import { BreakoutBanners } from "./BreakoutBanners.tsx";
import { ModerationBanners } from "./ModerationBanners.tsx";
import { ownRole } from "./own-role.ts";
import { mediaHelp, triedWords } from "./words.ts";

/** How long a refusal is shown: it needs no answer. */
const REFUSAL_FOR_MS = 8_000;

interface CallBannerProps {
  call: Call;
  state: CallState;
}

export function CallBanners({ call, state }: CallBannerProps) {
  return (
    <>
      {keepsOrder(ownRole(state)) && <Knocking call={call} />}
      <Blocked call={call} state={state} />
      <BreakoutBanners call={call} state={state} />
      <StageBanners call={call} state={state} />
      <ModerationBanners call={call} state={state} />
      <Elsewhere call={call} state={state} />
      <Refusal call={call} state={state} />
    </>
  );
}

/** No way to the media node. Where signaling is lost as well, that comes first. */
function Blocked({ call, state: { media, status } }: CallBannerProps) {
  if (media.name !== "blocked" || status.name !== "joined") return null;
  return (
    <Banner
      action={
        <button type="button" className="button secondary" onClick={() => call.retryMedia()}>
          Try again
        </button>
      }
    >
      <strong>No sound and no picture: your network does not let them through</strong>
      <p>{triedWords(media.tried)} It is tried again by itself.</p>
      <p>{mediaHelp(media.tried)}</p>
    </Banner>
  );
}

/** The same user on another page or device, now or when the microphone was turned off for that. */
function Elsewhere({ call, state: { participants, you, quiet } }: CallBannerProps) {
  const { microphone } = useReadable(call.local.state);
  if (elsewhereOf(participants, you).length === 0) {
    if (!quiet) return null;
    return (
      <Banner
        action={
          <button
            type="button"
            className="button secondary"
            onClick={() => void call.local.turn("microphone", true)}
          >
            Turn it on
          </button>
        }
      >
        <p>Your microphone is off: you were in this call in another tab or on another device, too.</p>
      </Banner>
    );
  }
  return (
    <Banner
      action={
        <button type="button" className="button secondary" onClick={() => call.moveHere()}>
          Move the call here
        </button>
      }
    >
      <p>
        You are in this call in another tab or on another device, too.
        {!microphone.on && " Your microphone is off here, so that the room does not howl."}
      </p>
    </Banner>
  );
}

function Refusal({ call, state: { refusal } }: CallBannerProps) {
  useEffect(() => {
    if (refusal === null) return;
    const timer = setTimeout(() => call.dismissRefusal(), REFUSAL_FOR_MS);
    return () => clearTimeout(timer);
  }, [refusal, call]);
  if (refusal === null) return null;
  return <p className="banner">That was not done. {sentence(refusal)}</p>;
}
