// Microphone and camera, with devices that are there, missing, refused or unplugged.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LocalMedia } from "../src/call/local-media.ts";

/** A track that can be stopped and unplugged. */
class FakeTrack {
  stopped = false;
  onended: (() => void) | null = null;
  contentHint = "";
  constructor(
    readonly kind: "audio" | "video",
    readonly device: string,
  ) {}
  stop(): void {
    this.stopped = true;
  }
}

/** A browser's devices: those named in `refuse` reject with that error. */
function devices(refuse: Partial<Record<"audio" | "video", string>> = {}) {
  const opened: FakeTrack[] = [];
  const media = {
    addEventListener: () => {},
    removeEventListener: () => {},
    enumerateDevices: async () => [{ kind: "audioinput", deviceId: "m1", label: "Mic" }],
    getUserMedia: async (constraints: MediaStreamConstraints) => {
      const kinds = (["audio", "video"] as const).filter((kind) => constraints[kind] !== undefined);
      for (const kind of kinds) {
        const error = refuse[kind];
        if (error !== undefined) throw new DOMException(kind, error);
      }
      const tracks = kinds.map((kind) => {
        const wanted = (constraints[kind] as MediaTrackConstraints).deviceId as { exact: string } | undefined;
        return new FakeTrack(kind, wanted?.exact ?? "any");
      });
      opened.push(...tracks);
      return { getTracks: () => tracks };
    },
  };
  return { local: new LocalMedia(media as unknown as MediaDevices), opened };
}

describe("the devices of this browser", () => {
  beforeEach(() => void vi.stubGlobal("MediaStream", class {}));
  afterEach(() => void vi.unstubAllGlobals());

  it("are asked for together, and are on then", async () => {
    const { local, opened } = devices();
    await local.acquire();
    const { microphone, camera, preview, asking, devices: listed } = local.state.get();
    expect([microphone.on, camera.on, asking]).toEqual([true, true, false]);
    expect(preview).not.toBeNull();
    expect(listed).toHaveLength(1);
    expect(opened).toHaveLength(2);
  });

  it.each([
    ["NotFoundError", "missing"],
    ["NotAllowedError", "denied"],
    ["NotReadableError", "busy"],
    ["TypeError", "unsupported"],
  ])("work one without the other: %s of the camera is %s", async (error, problem) => {
    const { local } = devices({ video: error });
    await local.acquire();
    const { microphone, camera } = local.state.get();
    expect(microphone).toMatchObject({ on: true, problem: null });
    expect(camera).toMatchObject({ on: false, track: null, problem });
  });

  it("release the camera when it is off, and keep the microphone", async () => {
    const { local, opened } = devices();
    await local.acquire();
    await local.turn("camera", false);
    await local.turn("microphone", false);
    const [microphone, camera] = opened;
    expect([microphone?.stopped, camera?.stopped]).toEqual([false, true]);
    expect(local.state.get().preview).toBeNull();
    await local.turn("microphone", true);
    await local.turn("camera", true);
    expect(opened.map(({ kind }) => kind)).toEqual(["audio", "video", "video"]);
  });

  it("can be chosen, and stay off when they were", async () => {
    const { local, opened } = devices();
    await local.acquire();
    await local.choose("camera", "second");
    expect(opened.at(-1)).toMatchObject({ kind: "video", device: "second" });
    await local.turn("camera", false);
    await local.choose("camera", "third");
    expect(local.state.get().camera).toMatchObject({ on: false, chosen: "third" });
    await local.turn("camera", true);
    expect(opened.at(-1)?.device).toBe("third");
  });

  it("say when one is unplugged", async () => {
    const { local, opened } = devices();
    await local.acquire();
    opened.find(({ kind }) => kind === "audio")?.onended?.();
    expect(local.state.get().microphone).toMatchObject({ on: false, track: null, problem: "missing" });
  });

  it("are released at the end, even those that come later", async () => {
    const { local, opened } = devices();
    const acquiring = local.acquire();
    local.end();
    await acquiring;
    expect(opened.every(({ stopped }) => stopped)).toBe(true);
  });

  it("are told to be out of reach where the browser hides them", async () => {
    const local = new LocalMedia(undefined);
    await local.acquire();
    expect(local.state.get().camera.problem).toBe("unsupported");
  });
});
