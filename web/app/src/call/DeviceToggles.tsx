// Microphone and camera: on and off.
import type { DeviceName, LocalMedia } from "@connect/sdk/call";
import { useReadable } from "../api-context.ts";
import { CameraIcon, MicrophoneIcon } from "../ui/icons.tsx";

const NAMES: Record<DeviceName, string> = { microphone: "Microphone", camera: "Camera" };

export function DeviceToggles({ local }: { local: LocalMedia }) {
  const state = useReadable(local.state);
  return (["microphone", "camera"] as const).map((name) => {
    const { on } = state[name];
    return (
      <button
        key={name}
        type="button"
        className={on ? "control" : "control off"}
        aria-label={NAMES[name]}
        aria-pressed={on}
        title={`Turn ${name} ${on ? "off" : "on"}`}
        onClick={() => void local.turn(name, !on)}
      >
        {name === "microphone" ? <MicrophoneIcon off={!on} /> : <CameraIcon off={!on} />}
        <span className="control-text">{NAMES[name]}</span>
      </button>
    );
  });
}
