// Asks the browser for microphone and camera: what is asked for in one turn goes in one request, so that it asks once.

export type DeviceName = "microphone" | "camera";

/** Where a phone's camera looks. */
export type Facing = "user" | "environment";

/** Which device is to be opened; null for the browser's choice. */
export type Choice = { readonly deviceId: string } | { readonly facing: Facing } | null;

/** Why a device cannot be used. */
export type DeviceProblem = "denied" | "missing" | "busy" | "unsupported";

const CONSTRAINTS = {
  microphone: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
  // The size of the highest layer.
  camera: { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } },
} satisfies Record<DeviceName, MediaTrackConstraints>;

interface Request {
  readonly choice: Choice;
  readonly resolve: (track: MediaStreamTrack) => void;
  readonly reject: (error: unknown) => void;
}

/** The devices of this browser, as far as it gives them. */
export class Capture {
  readonly #media: MediaDevices | undefined;
  #requests = new Map<DeviceName, Request>();

  constructor(media: MediaDevices | undefined) {
    this.#media = media;
  }

  /** Opens a device. Of each, one request at a time. */
  open(name: DeviceName, choice: Choice): Promise<MediaStreamTrack> {
    return new Promise((resolve, reject) => {
      if (this.#requests.size === 0) queueMicrotask(() => void this.#ask());
      this.#requests.set(name, { choice, resolve, reject });
    });
  }

  async #ask(): Promise<void> {
    const requests = [...this.#requests];
    this.#requests = new Map();
    try {
      give(requests, await this.#getTracks(requests));
    } catch (error) {
      const again = await worthAskingAlone(
        requests.map(([name]) => name),
        problemOf(error),
      );
      for (const [name, { reject }] of requests) if (!again.includes(name)) reject(error);
      await Promise.all(requests.filter(([name]) => again.includes(name)).map((one) => this.#askFor(one)));
    }
  }

  async #askFor(request: [DeviceName, Request]): Promise<void> {
    try {
      give([request], await this.#getTracks([request]));
    } catch (error) {
      request[1].reject(error);
    }
  }

  async #getTracks(requests: readonly [DeviceName, Request][]): Promise<MediaStreamTrack[]> {
    // Outside of a secure context browsers hide the devices.
    if (this.#media === undefined) throw new DOMException("no media devices", "NotSupportedError");
    const wishes = requests.map(([name, { choice }]) => [kindOf(name), constraintsOf(name, choice)]);
    return (await this.#media.getUserMedia(Object.fromEntries(wishes))).getTracks();
  }
}

/** Why the browser gave no device. */
export function problemOf(error: unknown): DeviceProblem {
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
      // Chromium's OverconstrainedError is no DOMException.
      return (error as Error | null)?.name === "OverconstrainedError" ? "missing" : "unsupported";
  }
}

/**
 * Which of the devices that were asked for together may be had alone: one of them is missing or refused, and perhaps the
 * only one. Who has said no to both, or closed the question, is not asked the same twice again.
 */
async function worthAskingAlone(
  names: readonly DeviceName[],
  problem: DeviceProblem,
): Promise<readonly DeviceName[]> {
  if (names.length === 1) return [];
  if (problem !== "denied") return names;
  const permissions = await Promise.all(names.map(permissionOf));
  // Where one is blocked the browser refuses both without a question: the other one has not been asked for yet.
  if (permissions.includes("denied")) return names;
  return names.filter((_, index) => permissions[index] === "granted");
}

/** Whether the browser would give a device, or ask; not every browser says so. */
async function permissionOf(name: DeviceName): Promise<PermissionState | null> {
  const status = await globalThis.navigator?.permissions?.query({ name }).catch(() => null);
  return status?.state ?? null;
}

function give(requests: readonly [DeviceName, Request][], tracks: readonly MediaStreamTrack[]): void {
  for (const [name, { resolve, reject }] of requests) {
    const track = tracks.find(({ kind }) => kind === kindOf(name));
    if (track === undefined) reject(new DOMException(`no ${name}`, "NotFoundError"));
    else resolve(track);
  }
}

function kindOf(name: DeviceName): "audio" | "video" {
  return name === "camera" ? "video" : "audio";
}

function constraintsOf(name: DeviceName, choice: Choice): MediaTrackConstraints {
  if (choice === null) return CONSTRAINTS[name];
  if ("facing" in choice) return { ...CONSTRAINTS[name], facingMode: { exact: choice.facing } };
  return { ...CONSTRAINTS[name], deviceId: { exact: choice.deviceId } };
}
