// Over the tiles of one who is alone: where the others are, or how they come.
import { breakoutOf, type Call } from "@connect/sdk/call";
import { useReadable } from "../api-context.ts";
import { CopyLink } from "../ui/CopyLink.tsx";

export function Alone({ call, you, room }: { call: Call; you: string | null; room: string }) {
  const breakouts = useReadable(call.breakouts.state);
  const here = breakouts.rooms.find(({ id }) => id === breakoutOf(breakouts, you));
  if (breakouts.rooms.length > 0) {
    return (
      <div className="alone" role="status">
        <h2>
          You're the only one in <bdi>{here?.name ?? "the main room"}</bdi>
        </h2>
        <p className="muted small">The list of people says who is in which breakout room.</p>
      </div>
    );
  }
  return (
    <div className="alone" role="status">
      <h2>You're the only one here</h2>
      <p className="muted small">Send the link to whom you want to talk with.</p>
      <CopyLink room={room} />
    </div>
  );
}
