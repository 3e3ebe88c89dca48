// A room's page: from the pre-join through the call to its end.
import { Call, type CallOptions, type Lines } from "@connect/sdk/call";
import { useEffect, useState } from "react";
import { useReadable } from "../api-context.ts";
import { Boundary } from "../pages/Boundary.tsx";
import type { Visitor } from "../pages/Door.tsx";
import { Message } from "../pages/Message.tsx";
import { NoRoom } from "../pages/NoRoom.tsx";
import { SignedIn } from "../pages/SignedIn.tsx";
import { Link } from "../router.tsx";
import { InCall } from "./InCall.tsx";
import { PreJoin } from "./PreJoin.tsx";
import { useRoom } from "./use-room.ts";
import { WithDevices } from "./WithDevices.tsx";
import { unsentWords } from "./words.ts";
import "./call.css";
import "./panel.css";
import "./breakouts.css";
import "./polls.css";
import "./prejoin.css";
import "./signals.css";
import "./tile.css";
import "./connection.css";
import "./devices.css";

/** Others that can be shown at once: as many as there are video slots. */
const CAPACITY = 9;
const CAPACITY_SMALL = 4;
const SMALL_SCREEN = "(max-width: 640px), (max-height: 480px)";

interface CallPageProps {
  room: string;
  /** The query of the address: `region` asks for a region, `codec` for a video codec, `debug` shows the call to scripts. */
  search: string;
  visitor: Visitor;
}

export default function CallPage({ room, search, visitor }: CallPageProps) {
  const { entrance, account } = visitor;
  const [call, setCall] = useState<Call | null>(null);
  const [capacity] = useState(() => (matchMedia(SMALL_SCREEN).matches ? CAPACITY_SMALL : CAPACITY));

  useEffect(() => {
    const query = new URLSearchParams(search);
    const created = new Call(entrance, room, {
      ...optionsOf(query),
      videoSlots: capacity,
      storage: storage(() => window.localStorage),
      tab: storage(() => window.sessionStorage),
    });
    // A page that is loaded anew goes on where it was.
    created.comeBack(account);
    setCall(created);
    // For tests and for a curious developer's console; nothing in it that the page does not show.
    if (query.has("debug")) Object.assign(window, { connect: created });
    return () => created.dispose();
  }, [entrance, account, room, search, capacity]);

  return call && <CallView call={call} room={room} visitor={visitor} capacity={capacity} />;
}

/** Where the page keeps something; none in a browser that lets no page keep anything. */
function storage(get: () => Storage): Storage | null {
  try {
    return get();
  } catch {
    return null;
  }
}

const CODECS = ["vp8", "h264", "vp9", "av1"] as const;

function optionsOf(query: URLSearchParams): CallOptions {
  const codec = CODECS.find((name) => name === query.get("codec"));
  return { region: query.get("region") || null, ...(codec && { videoCodec: codec }) };
}

interface CallViewProps {
  call: Call;
  room: string;
  visitor: Visitor;
  capacity: number;
}

function CallView({ call, room, visitor, capacity }: CallViewProps) {
  const state = useReadable(call.state);
  const before = state.status.name === "idle" || state.status.name === "failed";
  const { name, yours, watches, absence } = useRoom(visitor.entrance, room, before);

  if (absence !== null) return <NoRoom absence={absence} />;
  if (state.status.name === "ended") {
    return <Ended call={call} reason={state.status.reason} unsent={state.outbox} />;
  }
  const inCall = state.status.name === "joined" || state.status.name === "reconnecting";
  const page = (
    <WithDevices local={call.local} watches={watches}>
      {inCall ? (
        <Boundary instead={(again) => <Undrawn call={call} again={again} />}>
          <InCall call={call} state={state} room={room} capacity={capacity} />
        </Boundary>
      ) : (
        <PreJoin
          call={call}
          state={state}
          you={visitor.name}
          title={state.room?.name ?? name}
          yours={yours}
          watches={watches === true}
          rename={visitor.rename}
        />
      )}
    </WithDevices>
  );
  return visitor.isGuest ? page : <SignedIn stays={inCall}>{() => page}</SignedIn>;
}

/** The call is heard as before, and can be left. */
function Undrawn({ call, again }: { call: Call; again: () => void }) {
  return (
    <Message title="Something went wrong on this page" detail="That is our fault. The call goes on.">
      <button type="button" className="button" onClick={again}>
        Try again
      </button>
      <button type="button" className="button secondary" onClick={call.leave}>
        Leave the call
      </button>
    </Message>
  );
}

const ENDED = {
  left: "You left the call",
  roomDeleted: "This room was closed",
  ended: "The call was ended for everybody",
  replaced: "You joined from another place",
  removed: "You were removed from the call",
  refused: "You were not let in",
  moved: "The call goes on in another tab or on another device",
};

/** From which ends one comes back, and how. */
const BACK: Partial<Record<keyof typeof ENDED, { words: string; moveHere: boolean }>> = {
  left: { words: "Rejoin", moveHere: false },
  replaced: { words: "Rejoin", moveHere: false },
  refused: { words: "Ask again", moveHere: false },
  moved: { words: "Move it back here", moveHere: true },
};

interface EndedProps {
  call: Call;
  reason: keyof typeof ENDED;
  unsent: Lines;
}

function Ended({ call, reason, unsent }: EndedProps) {
  const back = BACK[reason];
  return (
    <Message title={ENDED[reason]} detail={unsentWords(unsent)}>
      {back !== undefined && (
        <button type="button" className="button secondary" onClick={() => call.join(back)}>
          {back.words}
        </button>
      )}
      <Link className="button" to="/">
        Go to your rooms
      </Link>
    </Message>
  );
}
