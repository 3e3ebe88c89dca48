// Before the call: see yourself, choose devices, join.
import type { User } from "@connect/sdk";
import type { Call, CallState, DeviceName, LocalState } from "@connect/sdk/call";
import { useEffect } from "react";
import { useReadable } from "../api-context.ts";
import { Link } from "../router.tsx";
import { Logo } from "../ui/Logo.tsx";
import { wordsOf } from "../ui/words.ts";
import { Avatar } from "./Avatar.tsx";
import { DeviceToggles } from "./DeviceToggles.tsx";
import { Video } from "./Video.tsx";
import { deviceProblems } from "./words.ts";

interface PreJoinProps {
  call: Call;
  state: CallState;
  user: User;
  /** The room's name, once it is known. */
  title: string | null;
}

export function PreJoin({ call, state, user, title }: PreJoinProps) {
  const local = useReadable(call.local.state);
  const problems = deviceProblems(local);
  const joining = state.status.name === "joining";

  useEffect(() => call.prepare(), [call]);

  return (
    <main className="prejoin">
      <title>{`${title ?? "Join"} · Connect`}</title>
      <header className="top">
        <Link className="plain" to="/" aria-label="Connect, your rooms">
          <Logo />
        </Link>
      </header>
      <div className="prejoin-body">
        <div className="mirror">
          <Avatar name={user.name} id={user.id} />
          {local.preview !== null && <Video stream={local.preview} mirrored />}
          {local.asking && <p className="asking">Your browser asks for your camera and microphone.</p>}
          <div className="mirror-controls">
            <DeviceToggles local={call.local} />
          </div>
        </div>
        <div className="ready">
          <div>
            <h1>{title ?? "Ready?"}</h1>
            <p className="muted">You'll be seen as {user.name}.</p>
          </div>
          {state.status.name === "failed" && (
            <div className="alert" role="alert">
              <strong>You could not join</strong>
              <span>{wordsOf(state.status.error)}</span>
            </div>
          )}
          {problems.length > 0 && (
            <div className="notice" role="status">
              {problems.map((problem) => (
                <p key={problem}>{problem}</p>
              ))}
            </div>
          )}
          <DeviceChoice call={call} local={local} name="microphone" label="Audio input" />
          <DeviceChoice call={call} local={local} name="camera" label="Video input" />
          <button type="button" className="button wide" aria-disabled={joining} onClick={() => call.join()}>
            {joining ? "Joining…" : "Join"}
          </button>
        </div>
      </div>
    </main>
  );
}

interface DeviceChoiceProps {
  call: Call;
  local: LocalState;
  name: DeviceName;
  label: string;
}

function DeviceChoice({ call, local, name, label }: DeviceChoiceProps) {
  const kind = name === "camera" ? "videoinput" : "audioinput";
  // Without permission, browsers list a device without a name.
  const devices = local.devices.filter((device) => device.kind === kind && device.deviceId !== "");
  const current = local[name].chosen ?? local[name].track?.getSettings().deviceId ?? "";
  const id = `choose-${name}`;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select
        id={id}
        value={current}
        disabled={devices.length === 0}
        onChange={(event) => void call.local.choose(name, event.target.value)}
      >
        {devices.length === 0 && <option value="">None to choose from</option>}
        {devices.length > 0 && current === "" && <option value="">Standard</option>}
        {devices.map((device, index) => (
          <option key={device.deviceId} value={device.deviceId}>
            {device.label || `${label} ${index + 1}`}
          </option>
        ))}
      </select>
    </div>
  );
}
