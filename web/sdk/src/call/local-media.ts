// Microphone and camera of this browser: both devices, the list to choose from, and what all of them have in common.
import { isSame, type Readable, Store } from "../store.ts";
import { Capture, type DeviceName } from "./capture.ts";
import { Choices } from "./choices.ts";
import { Device, type LocalDevice } from "./local-device.ts";

export interface LocalState {
  readonly microphone: LocalDevice;
  readonly camera: LocalDevice;
  /** The devices to choose from. Their labels are empty until permission is given. */
  readonly devices: readonly MediaDeviceInfo[];
  /** The camera's picture; null while there is none to send. */
  readonly preview: MediaStream | null;
  /** The first request for permission is still open. */
  readonly asking: boolean;
}

const KINDS = { microphone: "audioinput", camera: "videoinput" } as const;
const NAMES: readonly DeviceName[] = ["microphone", "camera"];

/** The devices of this browser. A problem with one never keeps the other from working. */
export class LocalMedia {
  readonly #state: Store<LocalState>;
  readonly #media: MediaDevices | undefined;
  readonly #choices: Choices;
  readonly #devices: Readonly<Record<DeviceName, Device>>;
  #acquired = false;
  #ended = false;
  #lists = 0;

  constructor(media: MediaDevices | undefined = globalThis.navigator?.mediaDevices, choices = new Choices()) {
    this.#media = media;
    this.#choices = choices;
    const capture = new Capture(media);
    const device = (name: DeviceName) =>
      new Device(name, choices.get(name), capture, () => this.#changed(name));
    this.#devices = { microphone: device("microphone"), camera: device("camera") };
    this.#state = new Store<LocalState>({
      microphone: this.#devices.microphone.state,
      camera: this.#devices.camera.state,
      devices: [],
      preview: null,
      asking: false,
    });
    media?.addEventListener("devicechange", this.#plugged);
  }

  get state(): Readable<LocalState> {
    return this.#state;
  }

  /**
   * Has both devices, asked for in one go: at first what works is on afterwards, later each is as it was before it was
   * released. Never rejects: see `problem`.
   */
  async acquire(): Promise<void> {
    if (this.#acquired) return this.resume();
    this.#acquired = true;
    this.#state.patch({ asking: true });
    await Promise.all(NAMES.map((name) => this.turn(name, true)));
    this.#state.patch({ asking: false });
    await this.#list();
  }

  /** Has those that were on where the call was before, on a page that this one follows; nothing is asked for otherwise. */
  async restore(wanted: Readonly<Record<DeviceName, boolean>>): Promise<void> {
    this.#acquired = true;
    await Promise.all(NAMES.map((name) => this.turn(name, wanted[name])));
    await this.#list();
  }

  /** Turns a device on or off. The last wish holds, also while the one before it is still being carried out. */
  async turn(name: DeviceName, on: boolean): Promise<void> {
    await this.#devices[name].turn(on);
  }

  /** Uses another device from now on, null for the browser's choice; a device that is off stays off. */
  async choose(name: DeviceName, deviceId: string | null): Promise<void> {
    await this.#devices[name].choose(deviceId === null ? null : { deviceId });
  }

  /** Uses a phone's other camera. */
  async flip(): Promise<void> {
    const { facing } = this.#state.get().camera;
    if (facing === null) return;
    await this.#devices.camera.choose({ facing: facing === "user" ? "environment" : "user" });
  }

  /** What this client may send of a device: what is forbidden goes off, and cannot be turned on. */
  allow(name: DeviceName, allowed: boolean): void {
    this.#devices[name].allow(allowed);
  }

  /** Releases both devices; the wishes hold until `resume`. False when both were released before. */
  release(): boolean {
    return NAMES.map((name) => this.#devices[name].release()).includes(true);
  }

  /** Has the devices again as they were before they were released. */
  async resume(): Promise<void> {
    await Promise.all(NAMES.map((name) => this.#devices[name].resume()));
  }

  /** Releases both devices for good. */
  end(): void {
    this.#ended = true;
    this.#media?.removeEventListener("devicechange", this.#plugged);
    for (const name of NAMES) this.#devices[name].end();
  }

  #changed(name: DeviceName): void {
    const before = this.#state.get();
    const device = this.#devices[name].state;
    if (device.chosen !== before[name].chosen) this.#choices.set(name, device.chosen);
    if (isSame(device, before[name])) return;
    this.#state.patch({ [name]: device, ...(name === "camera" && { preview: previewOf(device, before) }) });
    // With the permission come the names, and perhaps more devices.
    if (device.track !== null && device.track !== before[name].track) void this.#list();
  }

  async #list(): Promise<void> {
    this.#lists += 1;
    const list = this.#lists;
    const devices = (await this.#media?.enumerateDevices().catch(() => null)) ?? [];
    // An answer may be overtaken by a later one.
    if (!this.#ended && list === this.#lists) this.#state.patch({ devices });
  }

  readonly #plugged = async (): Promise<void> => {
    await this.#list();
    const { devices } = this.#state.get();
    for (const name of NAMES) {
      const own = devices.filter(({ kind }) => kind === KINDS[name]);
      this.#devices[name].listed(own.map(({ deviceId }) => deviceId));
    }
  };
}

/** The same stream as long as the track is, so that a video element is not restarted. */
function previewOf({ on, track }: LocalDevice, { preview, camera }: LocalState): MediaStream | null {
  if (!on || track === null) return null;
  return preview !== null && track === camera.track ? preview : new MediaStream([track]);
}
