// Microphone and camera: on and off.
import type { Caps } from "@connect/sdk";
import type { DeviceName, LocalMedia } from "@connect/sdk/call";
import { useReadable } from "../api-context.ts";
import { CameraIcon, MicrophoneIcon } from "../ui/icons.tsx";
import { DEVICE, toggleTitle } from "./device-words.ts";

interface DeviceTogglesProps {
  local: LocalMedia;
  /** What you may send; all of it before the call. */
  caps?: Caps | null;
}

export function DeviceToggles({ local, caps = null }: DeviceTogglesProps) {
  return (["microphone", "camera"] as const).map((name) => (
    <DeviceToggle
      key={name}
      local={local}
      name={name}
      forbidden={(name === "microphone" ? caps?.audio : caps?.video) === false}
    />
  ));
}

interface DeviceToggleProps {
  local: LocalMedia;
  name: DeviceName;
  forbidden: boolean;
}

function DeviceToggle({ local, name, forbidden }: DeviceToggleProps) {
  const device = useReadable(local.state)[name];
  const { status, wanted } = device;
  // As others see it; while it starts, as they are about to.
  const on = status === "on" || status === "opening";
  return (
    <button
      type="button"
      className={on ? "control" : "control off"}
      aria-label={DEVICE[name]}
      aria-pressed={on}
      aria-busy={status === "opening"}
      aria-disabled={forbidden}
      title={toggleTitle(name, device, forbidden)}
      data-badge={wanted && !on ? "!" : undefined}
      onClick={() => forbidden || void local.turn(name, !wanted)}
    >
      {name === "microphone" ? <MicrophoneIcon off={!on} /> : <CameraIcon off={!on} />}
      <span className="control-text">{DEVICE[name]}</span>
    </button>
  );
}
