// Which microphone, camera and speaker are used: a list of each, before and in the call.
import type { Call, DeviceName } from "@connect/sdk/call";
import { useReadable } from "../api-context.ts";
import { FlipIcon } from "../ui/icons.tsx";

/** The browser's choice; Chromium lists it under this id, with the name of the device that it is now. */
const STANDARD = "default";
/** What is on instead of the chosen one: an entry of its own, so that both can be chosen for good. */
const STAND_IN = "stand-in";

export function DeviceChoices({ call }: { call: Call }) {
  return (
    <>
      <InputChoice call={call} name="microphone" label="Audio input" kind="audioinput" />
      <InputChoice call={call} name="camera" label="Video input" kind="videoinput" />
      <SpeakerChoice call={call} />
    </>
  );
}

interface InputChoiceProps {
  call: Call;
  name: DeviceName;
  label: string;
  kind: MediaDeviceKind;
}

function InputChoice({ call, name, label, kind }: InputChoiceProps) {
  const { [name]: device, devices } = useReadable(call.local.state);
  const own = named(devices, kind, label);
  return (
    <div className="field">
      <Choice
        id={`choose-${name}`}
        label={label}
        devices={own}
        chosen={device.chosen}
        used={device.used}
        onChoose={(id) => void call.local.choose(name, id)}
      />
      {name === "camera" && device.facing !== null && own.length > 1 && (
        <button type="button" className="button secondary" onClick={() => void call.local.flip()}>
          <FlipIcon />
          {device.facing === "user" ? "Use the back camera" : "Use the front camera"}
        </button>
      )}
    </div>
  );
}

function SpeakerChoice({ call }: { call: Call }) {
  const { devices } = useReadable(call.local.state);
  const { canChoose, chosen, missing } = useReadable(call.speaker.state);
  const label = "Audio output";
  const own = named(devices, "audiooutput", label);
  if (!canChoose || own.length === 0) return null;
  return (
    <div className="field">
      <Choice
        id="choose-speaker"
        label={label}
        devices={own}
        chosen={chosen}
        used={missing ? STANDARD : chosen}
        onChoose={(id) => call.speaker.choose(id)}
      />
    </div>
  );
}

interface Named {
  readonly id: string;
  readonly label: string;
}

/** Without permission, browsers list a device without its id. */
function named(devices: readonly MediaDeviceInfo[], kind: MediaDeviceKind, label: string): Named[] {
  return devices
    .filter((device) => device.kind === kind && device.deviceId !== "")
    .map((device, index) => ({ id: device.deviceId, label: device.label || `${label} ${index + 1}` }));
}

interface ChoiceProps {
  id: string;
  label: string;
  devices: readonly Named[];
  chosen: string | null;
  /** What is open now; null while nothing is. */
  used: string | null;
  onChoose: (id: string | null) => void;
}

function Choice({ id, label, devices, chosen, used, onChoose }: ChoiceProps) {
  const names = new Map(devices.map((device) => [device.id, device.label]));
  const standIn = standInWords(names, chosen, used);
  return (
    <>
      <label htmlFor={id}>{label}</label>
      <select
        id={id}
        value={standIn === null ? (chosen ?? STANDARD) : STAND_IN}
        disabled={devices.length === 0}
        onChange={({ target }) => onChoose(target.value === STANDARD ? null : target.value)}
      >
        {standIn !== null && (
          <option value={STAND_IN} disabled hidden>
            {standIn}
          </option>
        )}
        {!names.has(STANDARD) && <option value={STANDARD}>{standardWords(names, chosen, used)}</option>}
        {devices.map((device) => (
          <option key={device.id} value={device.id}>
            {device.label}
          </option>
        ))}
      </select>
    </>
  );
}

type Names = ReadonlyMap<string, string>;

/** What is on, or why nothing is, where that is not what was chosen; null where it is. */
function standInWords(names: Names, chosen: string | null, used: string | null): string | null {
  if (names.size === 0 || chosen === null || chosen === used) return null;
  if (used !== null) return `${names.get(used) ?? "Standard"}, for now`;
  return names.has(chosen) ? null : "Your choice is not connected";
}

/** The browser's choice, and which one that is now. */
function standardWords(names: Names, chosen: string | null, used: string | null): string {
  if (names.size === 0) return "None to choose from";
  const now = chosen === null && used !== null ? names.get(used) : undefined;
  return now === undefined ? "Standard" : `Standard: ${now}`;
}
