// Microphone and camera: on and off.
import type { Caps } from "@connect/sdk";
import type { DeviceName, LocalMedia } from "@connect/sdk/call";
import { useReadable } from "../api-context.ts";
import { CameraIcon, MicrophoneIcon } from "../ui/icons.tsx";

const NAMES: Record<DeviceName, string> = { microphone: "Microphone", camera: "Camera" };

interface DeviceTogglesProps {
  local: LocalMedia;
  /** What the room's owner lets you send; all of it before the call. */
  caps?: Caps | null;
}

export function DeviceToggles({ local, caps = null }: DeviceTogglesProps) {
  const state = useReadable(local.state);
  return (["microphone", "camera"] as const).map((name) => {
    const { on } = state[name];
    const forbidden = (name === "microphone" ? caps?.audio : caps?.video) === false;
    return (
      <button
        key={name}
        type="button"
        className={on ? "control" : "control off"}
        aria-label={NAMES[name]}
        aria-pressed={on}
        aria-disabled={forbidden}
        title={forbidden ? `The host has turned off your ${name}` : `Turn ${name} ${on ? "off" : "on"}`}
        onClick={() => forbidden || void local.turn(name, !on)}
      >
        {name === "microphone" ? <MicrophoneIcon off={!on} /> : <CameraIcon off={!on} />}
        <span className="control-text">{NAMES[name]}</span>
      </button>
    );
  });
}
