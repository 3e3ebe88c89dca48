// In place of a room that is not there, or not any more.
import { ApiError } from "@connect/sdk";
import { Link } from "../router.tsx";
import { wordsOf } from "../ui/words.ts";
import { Message } from "./Message.tsx";

/** What is known of a room that is not there. */
export type Absence = ApiError;

/** The absence that an error tells of, if it does. */
export function absenceOf(error: unknown): Absence | null {
  const isAbsence = error instanceof ApiError && (error.status === 404 || error.status === GONE);
  return isAbsence ? error : null;
}

const GONE = 410;

export function NoRoom({ absence }: { absence: Absence }) {
  const [title, detail] =
    absence.status === GONE
      ? ["This room was retired", wordsOf(absence)]
      : ["There is no such room", "It may have been deleted, or the link is incomplete."];
  return (
    <Message title={title} detail={detail}>
      <Link className="button" to="/">
        Go to your rooms
      </Link>
    </Message>
  );
}
