// Microphone and camera of this device: permission, choice, on and off.
import { type Readable, Store } from "../store.ts";

/** Why a device cannot be used. */
export type DeviceProblem = "denied" | "missing" | "busy" | "unsupported";

export type DeviceName = "microphone" | "camera";

export interface LocalDevice {
  /** The user wants it on, and it works. */
  readonly on: boolean;
  /** Open while the device is; a muted microphone keeps it, so that it is back at once. */
  readonly track: MediaStreamTrack | null;
  readonly problem: DeviceProblem | null;
  /** The chosen device's id; null for the browser's choice. */
  readonly chosen: string | null;
}

export interface LocalState {
  readonly microphone: LocalDevice;
  readonly camera: LocalDevice;
  /** The devices to choose from. Their labels are empty until permission is given. */
  readonly devices: readonly MediaDeviceInfo[];
  /** The camera's picture; null while the camera is off. */
  readonly preview: MediaStream | null;
  /** The first request for permission is still open. */
  readonly asking: boolean;
}

const OFF: LocalDevice = { on: false, track: null, problem: null, chosen: null };

const CONSTRAINTS = {
  microphone: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
  // The size of the highest layer.
  camera: { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } },
} satisfies Record<DeviceName, MediaTrackConstraints>;

/** The devices of this browser. A problem with one never keeps the other from working. */
export class LocalMedia {
  readonly #state = new Store<LocalState>({
    microphone: OFF,
    camera: OFF,
    devices: [],
    preview: null,
    asking: false,
  });
  readonly #media: MediaDevices | undefined;
  #ended = false;

  constructor(media: MediaDevices | undefined = globalThis.navigator?.mediaDevices) {
    this.#media = media;
    media?.addEventListener("devicechange", this.#list);
  }

  get state(): Readable<LocalState> {
    return this.#state;
  }

  /** Asks for both devices in one go; what works is on afterwards. Never rejects: see `problem`. */
  async acquire(): Promise<void> {
    this.#state.patch({ asking: true });
    try {
      const stream = await this.#open({ audio: CONSTRAINTS.microphone, video: CONSTRAINTS.camera });
      for (const track of stream.getTracks())
        this.#adopt(track.kind === "audio" ? "microphone" : "camera", track);
    } catch {
      // One of the two is missing or refused: try each alone, to have the other.
      await Promise.all([this.turn("microphone", true), this.turn("camera", true)]);
    }
    this.#state.patch({ asking: false });
    await this.#list();
  }

  /** Turns a device on or off. A camera that is off is released, and its light goes out. */
  async turn(name: DeviceName, on: boolean): Promise<void> {
    const { track, chosen } = this.#state.get()[name];
    if (!on) return this.#turnOff(name);
    if (track !== null) {
      track.enabled = true;
      return this.#set(name, { on: true });
    }
    await this.#start(name, chosen);
  }

  /** Uses another device from now on; a device that is off stays off. */
  async choose(name: DeviceName, deviceId: string): Promise<void> {
    const wasOn = this.#state.get()[name].on;
    this.#release(name);
    this.#set(name, { chosen: deviceId });
    if (wasOn) await this.#start(name, deviceId);
  }

  /** Releases both devices for good. */
  end(): void {
    this.#ended = true;
    this.#media?.removeEventListener("devicechange", this.#list);
    this.#release("microphone");
    this.#release("camera");
  }

  async #start(name: DeviceName, deviceId: string | null): Promise<void> {
    const constraints = {
      ...CONSTRAINTS[name],
      ...(deviceId === null ? {} : { deviceId: { exact: deviceId } }),
    };
    try {
      const stream = await this.#open(name === "camera" ? { video: constraints } : { audio: constraints });
      const [track] = stream.getTracks();
      if (track !== undefined) this.#adopt(name, track);
    } catch (error) {
      this.#set(name, { on: false, problem: problemOf(error) });
    }
  }

  async #open(constraints: MediaStreamConstraints): Promise<MediaStream> {
    // Outside of a secure context browsers hide the devices.
    if (this.#media === undefined) throw new DOMException("no media devices", "NotSupportedError");
    return this.#media.getUserMedia(constraints);
  }

  #adopt(name: DeviceName, track: MediaStreamTrack): void {
    if (this.#ended) return track.stop();
    this.#release(name);
    // Unplugged, or taken away by the system.
    track.onended = () => {
      if (this.#state.get()[name].track !== track) return;
      this.#release(name);
      this.#set(name, { problem: "missing" });
    };
    if (name === "camera") track.contentHint = "motion";
    this.#set(name, { on: true, track, problem: null });
    if (name === "camera") this.#state.patch({ preview: new MediaStream([track]) });
  }

  #turnOff(name: DeviceName): void {
    if (name === "camera") this.#release(name);
    else {
      // Silent at once, whatever still waits to be done with the track.
      const { track } = this.#state.get()[name];
      if (track !== null) track.enabled = false;
      this.#set(name, { on: false });
    }
  }

  #release(name: DeviceName): void {
    this.#state.get()[name].track?.stop();
    this.#set(name, { on: false, track: null });
    if (name === "camera") this.#state.patch({ preview: null });
  }

  #set(name: DeviceName, fields: Partial<LocalDevice>): void {
    this.#state.patch({ [name]: { ...this.#state.get()[name], ...fields } });
  }

  readonly #list = async (): Promise<void> => {
    const devices = await this.#media?.enumerateDevices().catch(() => []);
    if (!this.#ended) this.#state.patch({ devices: devices ?? [] });
  };
}

function problemOf(error: unknown): DeviceProblem {
  switch (error instanceof DOMException ? error.name : "") {
    case "NotAllowedError":
    case "SecurityError":
      return "denied";
    case "NotFoundError":
    case "OverconstrainedError":
      return "missing";
    case "NotReadableError":
    case "AbortError":
      return "busy";
    default:
      return "unsupported";
  }
}
