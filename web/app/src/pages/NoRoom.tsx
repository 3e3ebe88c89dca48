// In place of a room that is not there.
import { Link } from "../router.tsx";
import { Message } from "./Message.tsx";

export function NoRoom() {
  return (
    <Message title="There is no such room" detail="It may have been deleted, or the link is incomplete.">
      <Link className="button" to="/">
        Go to your rooms
      </Link>
    </Message>
  );
}
