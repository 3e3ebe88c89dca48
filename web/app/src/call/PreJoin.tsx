// Before the call: see yourself, choose devices, join.
import type { Call, CallState } from "@connect/sdk/call";
import { useEffect } from "react";
import { useReadable } from "../api-context.ts";
import { Link } from "../router.tsx";
import { Logo } from "../ui/Logo.tsx";
import { isolated } from "../ui/words.ts";
import { Avatar } from "./Avatar.tsx";
import { DeviceChoices } from "./DeviceChoices.tsx";
import { useDeviceProblems } from "./DeviceNotices.tsx";
import { DeviceToggles } from "./DeviceToggles.tsx";
import { JoinButtons } from "./JoinButtons.tsx";
import { Video } from "./Video.tsx";

interface PreJoinProps {
  call: Call;
  state: CallState;
  /** Your name. */
  you: string;
  /** The room's name, once it is known. */
  title: string | null;
  /** As how many participants you are in the room already. */
  yours: number;
  /** You come to watch, with neither microphone nor camera. */
  watches: boolean;
  /** Comes under another name; for guests alone. */
  rename?: (() => void) | undefined;
}

export function PreJoin({ call, state, you, title, yours, watches, rename }: PreJoinProps) {
  const local = useReadable(call.local.state);
  const problems = useDeviceProblems(call);

  useEffect(() => call.prepare(), [call]);

  return (
    <main className="prejoin">
      <title>{`${isolated(title ?? "Join")} · Connect`}</title>
      <header className="top">
        <Link className="plain" to="/" aria-label="Connect, your rooms">
          <Logo />
        </Link>
      </header>
      <div className="prejoin-body">
        <div className="mirror">
          <Avatar name={you} id={you} />
          {local.preview !== null && <Video stream={local.preview} mirrored />}
          {local.asking && <p className="asking">Your browser asks for your camera and microphone.</p>}
          {!watches && (
            <div className="mirror-controls">
              <DeviceToggles local={call.local} />
            </div>
          )}
        </div>
        <div className="ready">
          <div>
            <h1 dir="auto">{title ?? "Ready?"}</h1>
            <p className="muted">
              {watches ? "You come to watch, as " : "You'll be seen as "}
              <bdi>{you}</bdi>.
            </p>
            {rename !== undefined && (
              <button type="button" className="button quiet" onClick={rename}>
                Use another name
              </button>
            )}
          </div>
          {problems.length > 0 && (
            <div className="notice" role="status">
              {problems.map((problem) => (
                <p key={problem}>{problem}</p>
              ))}
            </div>
          )}
          {!watches && <DeviceChoices call={call} />}
          <JoinButtons call={call} state={state} yours={yours} />
        </div>
      </div>
    </main>
  );
}
