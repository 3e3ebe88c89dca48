// The door of a room: who is signed in goes in as that, and others come as guests, where the room lets them.
import type { Door as DoorSign, Entrance, Guest } from "@connect/sdk";
import { type ReactNode, useCallback, useEffect, useState } from "react";
import { useApi } from "../api-context.ts";
import { Link, Redirect, usePlace } from "../router.tsx";
import { Field } from "../ui/Field.tsx";
import { isolated, wordsOf } from "../ui/words.ts";
import { AccountForm, textOf } from "./AccountForm.tsx";
import { guestName, isOtherGuest, keepGuestName } from "./guest-name.ts";
import { Message } from "./Message.tsx";
import { absenceOf, NoRoom } from "./NoRoom.tsx";
import { rememberRoom } from "./recent.ts";
import { SignedIn } from "./SignedIn.tsx";
import { Waiting } from "./Waiting.tsx";

/** Who comes to a room, and by what. */
export interface Visitor {
  readonly entrance: Entrance;
  readonly isGuest: boolean;
  /** Their account's id; null for a guest. */
  readonly account: string | null;
  /** What the others will see. */
  readonly name: string;
  /** Comes as somebody else; for guests alone. */
  readonly rename?: () => void;
}

interface DoorProps {
  room: string;
  children: (visitor: Visitor) => ReactNode;
}

export function Door({ room, children }: DoorProps) {
  const api = useApi();
  const [guest, setGuest] = useState<Guest | null>(null);
  /** Whether who comes next is somebody else than was here, under whatever name. */
  const [isOther, setOther] = useState(false);
  // Also once they have an account: the call goes on.
  if (guest !== null) {
    const rename = () => {
      keepGuestName(room, null);
      setOther(true);
      setGuest(null);
    };
    return children({ entrance: guest, isGuest: true, account: null, name: guest.name, rename });
  }
  return (
    <SignedIn stays otherwise={<Stranger room={room} isOther={isOther} onGuest={setGuest} />}>
      {(user) => children({ entrance: api, isGuest: false, account: user.id, name: user.name })}
    </SignedIn>
  );
}

interface StrangerProps {
  room: string;
  isOther: boolean;
  onGuest: (guest: Guest) => void;
}

/** Somebody of whom nothing is known but the link that they opened. */
function Stranger({ room, isOther, onGuest }: StrangerProps) {
  const api = useApi();
  const { path, search } = usePlace();
  const [sign, setSign] = useState<DoorSign | null>(null);
  const [error, setError] = useState<unknown>(null);

  const look = useCallback(() => {
    setError(null);
    api.door(room).then(setSign, setError);
  }, [api, room]);
  const come = useCallback(
    async (name: string) => {
      const guest = await api.guest(room, name, { fresh: isOther || isOtherGuest(name) });
      keepGuestName(room, name);
      onGuest(guest);
    },
    [api, room, isOther, onGuest],
  );
  const [returns, setReturns] = useState(() => guestName(room) !== null);
  useEffect(() => {
    // This page was loaded anew: the browser is the same guest again. If that fails, the form says why.
    const name = guestName(room);
    if (name !== null) come(name).catch(() => setReturns(false));
  }, [room, come]);
  useEffect(look, [look]);

  const from = path + search;
  const absence = absenceOf(error);
  if (absence !== null) return <NoRoom absence={absence} />;
  if (error !== null) {
    return (
      <Message title="The room could not be looked up" detail={wordsOf(error)}>
        <button type="button" className="button" onClick={look}>
          Try again
        </button>
      </Message>
    );
  }
  if (sign === null || returns) return <Waiting />;
  if (!sign.guests) return <Redirect to="/login" from={from} />;
  return (
    <AccountForm
      heading={isolated(sign.name)}
      lead={`You are about to ${sign.webinar ? "watch a webinar" : "join a call"}. No account is needed.`}
      submit="Join as guest"
      failure="You could not join"
      onSubmit={async (fields) => {
        await come(textOf(fields, "name").trim());
        rememberRoom({ id: room, name: sign.name });
      }}
      footer={
        <>
          Have an account?{" "}
          <Link to="/login" from={from}>
            Sign in
          </Link>
        </>
      }
    >
      {(errorOf) => (
        <Field label="Your name" name="name" autoComplete="name" required error={errorOf("name")} />
      )}
    </AccountForm>
  );
}
