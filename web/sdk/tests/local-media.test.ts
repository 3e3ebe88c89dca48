// Microphone and camera, with devices that are there, missing, refused, unplugged or taken by the system.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Choices } from "../src/call/choices.ts";
import { LocalMedia } from "../src/call/local-media.ts";
import { FakeDevices, fakeStorage } from "./fake-devices.ts";

let devices: FakeDevices;
let local: LocalMedia;

beforeEach(() => {
  vi.stubGlobal("MediaStream", class {});
  devices = new FakeDevices();
  local = new LocalMedia(devices.media);
});
afterEach(() => {
  local.end();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const microphone = () => local.state.get().microphone;
const camera = () => local.state.get().camera;
/** Lets everything happen that does not wait for an answer. */
const settle = () => new Promise((done) => setTimeout(done));
const answer = (refuse: string | null = null) => devices.pending?.shift()?.answer(refuse);

describe("the devices of this browser", () => {
  it("are asked for together, and are on then", async () => {
    await local.acquire();
    expect(devices.asked).toHaveLength(1);
    expect([microphone().on, camera().on, local.state.get().asking]).toEqual([true, true, false]);
    expect(local.state.get().preview).not.toBeNull();
    expect(local.state.get().devices).toHaveLength(4);
  });

  it.each([
    ["NotFoundError", "missing"],
    ["NotReadableError", "busy"],
    ["TypeError", "unsupported"],
  ])("work one without the other: %s of the camera is %s", async (error, problem) => {
    devices.refuse.set("video", error);
    await local.acquire();
    expect(microphone()).toMatchObject({ on: true, problem: null });
    expect(camera()).toMatchObject({ status: "off", on: false, wanted: false, track: null, problem });
  });

  it.each([
    ["nobody is asked again who said no to both", {}, 1],
    ["a microphone that is allowed already asks nobody", { microphone: "granted" }, 2],
    ["a blocked camera has kept the question from being asked", { camera: "denied" }, 3],
  ])(
    "are tried alone after a refusal where nobody is asked twice: %s",
    async (_, allowed: Record<string, string>, times) => {
      const query = async ({ name }: { name: string }) => ({ state: allowed[name] ?? "prompt" });
      vi.stubGlobal("navigator", { permissions: { query } });
      devices.refuse.set("video", "NotAllowedError");
      await local.acquire();
      expect(devices.asked).toHaveLength(times);
      expect(camera()).toMatchObject({ status: "off", wanted: false, problem: "denied" });
      expect(microphone()).toMatchObject(
        times > 1 ? { on: true, problem: null } : { on: false, problem: "denied" },
      );
    },
  );

  it("are not tried alone after a refusal where the browser does not say what is allowed", async () => {
    vi.stubGlobal("navigator", { permissions: { query: async () => Promise.reject(new TypeError("name")) } });
    devices.refuse.set("video", "NotAllowedError");
    await local.acquire();
    expect(devices.asked).toHaveLength(1);
    expect([microphone().problem, camera().problem]).toEqual(["denied", "denied"]);
  });

  it("release the camera when it is off, and keep the microphone", async () => {
    await local.acquire();
    await local.turn("camera", false);
    await local.turn("microphone", false);
    const [mic, cam] = devices.opened;
    expect([mic?.readyState, mic?.enabled, cam?.readyState]).toEqual(["live", false, "ended"]);
    expect(local.state.get().preview).toBeNull();
    await local.turn("microphone", true);
    await local.turn("camera", true);
    expect(devices.opened.map(({ kind }) => kind)).toEqual(["audio", "video", "video"]);
  });

  it("are told to be out of reach where the browser hides them", async () => {
    const hidden = new LocalMedia(undefined);
    await hidden.acquire();
    expect(hidden.state.get().camera.problem).toBe("unsupported");
  });
});

describe("the last wish", () => {
  it.each(["microphone", "camera"] as const)("wins over a %s that opens late", async (name) => {
    devices.pending = [];
    void local.turn(name, true);
    await settle();
    expect(local.state.get()[name]).toMatchObject({ status: "opening", wanted: true, on: false });
    await local.turn(name, false);
    expect(local.state.get()[name]).toMatchObject({ status: "off", wanted: false });
    answer();
    await settle();
    expect(local.state.get()[name]).toMatchObject({ status: "off", on: false, track: null });
    expect(devices.opened.map(({ readyState }) => readyState)).toEqual(["ended"]);
  });

  it("is met by the request under way when it is the same again", async () => {
    devices.pending = [];
    for (const on of [true, false, true]) void local.turn("camera", on);
    await settle();
    expect(devices.asked).toHaveLength(1);
    answer();
    await settle();
    expect(camera().on).toBe(true);
    expect(devices.capturing("video")).toHaveLength(1);
  });

  it("is forgotten when it was refused after all, and asked for anew by the next one", async () => {
    devices.pending = [];
    void local.turn("camera", true);
    await settle();
    answer("NotAllowedError");
    await settle();
    expect(camera()).toMatchObject({ status: "off", wanted: false, problem: "denied" });
    void local.turn("camera", true);
    await settle();
    expect(camera()).toMatchObject({ status: "opening", problem: null });
  });

  it("does not turn on what the room's owner forbids, not even while it opens", async () => {
    devices.pending = [];
    void local.turn("camera", true);
    await settle();
    local.allow("camera", false);
    answer();
    await settle();
    await local.turn("camera", true);
    expect(camera()).toMatchObject({ status: "off", track: null });
    local.allow("camera", true);
    expect(camera()).toMatchObject({ status: "off", wanted: false });
  });

  it("outlives the release of the devices", async () => {
    await local.acquire();
    await local.turn("camera", false);
    local.release();
    expect(devices.opened.map(({ readyState }) => readyState)).toEqual(["ended", "ended"]);
    expect([microphone().status, camera().status]).toEqual(["off", "off"]);
    await local.resume();
    expect([microphone().on, camera().on]).toEqual([true, false]);
  });

  it("is not overruled by who acquires the devices again", async () => {
    await local.acquire();
    await local.turn("camera", false);
    local.release();
    await local.acquire();
    expect([microphone().on, camera().on]).toEqual([true, false]);
  });

  it("opens nothing any more after the end", async () => {
    devices.pending = [];
    const acquiring = local.acquire();
    await settle();
    local.end();
    answer();
    await acquiring;
    await local.turn("camera", true);
    expect(devices.opened.every(({ readyState }) => readyState === "ended")).toBe(true);
  });
});

describe("a chosen device", () => {
  it("is used from now on, and stays off when it was", async () => {
    await local.acquire();
    await local.choose("camera", "cam 2");
    expect(camera()).toMatchObject({ on: true, chosen: "cam 2", used: "cam 2" });
    expect(devices.capturing("video")).toHaveLength(1);
    await local.turn("camera", false);
    await local.choose("camera", "cam 1");
    expect(camera()).toMatchObject({ on: false, chosen: "cam 1" });
    await local.turn("camera", true);
    expect(camera().used).toBe("cam 1");
  });

  it("is opened before the former is released, so that sound goes on", async () => {
    await local.acquire();
    devices.pending = [];
    const former = microphone().track;
    void local.choose("microphone", "mic 2");
    await settle();
    expect(microphone()).toMatchObject({ on: true, track: former });
    answer();
    await settle();
    expect(microphone()).toMatchObject({ on: true, used: "mic 2" });
    expect(devices.capturing("audio")).toHaveLength(1);
  });

  it("that does not open leaves the former running", async () => {
    await local.acquire();
    devices.refuse.set("mic 2", "NotReadableError");
    const former = microphone().track;
    await local.choose("microphone", "mic 2");
    expect(microphone()).toMatchObject({ on: true, track: former, used: "mic 1", problem: "busy" });
    expect(devices.capturing("audio")).toHaveLength(1);
  });

  it("that is unplugged gives way to the standard one, and comes back", async () => {
    await local.acquire();
    await local.choose("microphone", "mic 2");
    devices.unplug("mic 2");
    await settle();
    expect(microphone()).toMatchObject({ on: true, chosen: "mic 2", used: "mic 1", problem: "missing" });
    devices.plug("audio", "mic 2");
    await settle();
    expect(microphone()).toMatchObject({ on: true, used: "mic 2", problem: null });
    expect(devices.capturing("audio")).toHaveLength(1);
  });

  it("that is gone when it is turned on gives way as well", async () => {
    await local.choose("microphone", "mic 2");
    devices.unplug("mic 2");
    await local.turn("microphone", true);
    expect(microphone()).toMatchObject({ on: true, used: "mic 1", problem: "missing" });
  });

  it("is tried in the place of one that was refused", async () => {
    devices.refuse.set("cam 1", "NotReadableError");
    await local.turn("camera", true);
    expect(camera()).toMatchObject({ status: "off", wanted: false, problem: "busy" });
    await local.choose("camera", "cam 2");
    expect(camera()).toMatchObject({ on: true, used: "cam 2", problem: null });
  });

  it("is remembered, and so is that none is", async () => {
    const storage = fakeStorage();
    await new LocalMedia(devices.media, new Choices(storage)).choose("camera", "cam 2");
    const later = new LocalMedia(devices.media, new Choices(storage));
    await later.turn("camera", true);
    expect(later.state.get().camera).toMatchObject({ chosen: "cam 2", used: "cam 2" });
    await later.choose("camera", null);
    expect(later.state.get().camera).toMatchObject({ chosen: null, used: "cam 1" });
    expect(storage.kept.size).toBe(0);
    later.end();
  });

  it("is the other one on a phone, which has one camera open at a time", async () => {
    devices.facing.set("cam 1", "user").set("cam 2", "environment");
    await local.turn("camera", true);
    expect(camera().facing).toBe("user");
    await local.flip();
    expect(camera()).toMatchObject({ on: true, facing: "environment", chosen: "cam 2", problem: null });
    await local.flip();
    expect(camera()).toMatchObject({ facing: "user", chosen: "cam 1" });
    expect(devices.capturing("video")).toHaveLength(1);
  });

  it("that does not open on a phone gives the former back", async () => {
    devices.facing.set("cam 1", "user").set("cam 2", "environment");
    await local.turn("camera", true);
    devices.refuse.set("cam 2", "NotReadableError");
    await local.flip();
    expect(camera()).toMatchObject({ on: true, facing: "user", problem: "busy" });
  });
});

describe("a device that is lost", () => {
  it("is on again when one is plugged in", async () => {
    devices.unplug("mic 2");
    await local.acquire();
    devices.unplug("mic 1");
    await settle();
    expect(microphone()).toMatchObject({ status: "lost", on: false, track: null, problem: "missing" });
    devices.plug("audio", "mic 3");
    await settle();
    expect(microphone()).toMatchObject({ on: true, used: "mic 3", problem: null });
  });

  it("stays off when it was turned off meanwhile, or was never on", async () => {
    devices.unplug("mic 2");
    await local.acquire();
    devices.unplug("mic 1");
    await settle();
    await local.turn("microphone", false);
    devices.unplug("cam 1");
    devices.unplug("cam 2");
    await local.turn("camera", false);
    await local.turn("camera", true);
    expect(camera()).toMatchObject({ status: "off", problem: "missing" });
    devices.plug("audio", "mic 1");
    devices.plug("video", "cam 1");
    await settle();
    expect([microphone().status, camera().status]).toEqual(["off", "off"]);
  });

  it("is not opened for ever when it goes at once each time", async () => {
    await local.turn("microphone", true);
    for (let times = 0; times < 10; times += 1) {
      devices.opened.at(-1)?.end();
      await settle();
    }
    expect(microphone().status).toBe("lost");
    expect(devices.opened.length).toBeLessThan(5);
  });

  it("is opened again however often, when it was on for long each time", async () => {
    vi.useFakeTimers();
    await local.turn("microphone", true);
    for (let times = 0; times < 10; times += 1) {
      await vi.advanceTimersByTimeAsync(60_000);
      devices.opened.at(-1)?.end();
      await vi.advanceTimersByTimeAsync(0);
    }
    expect(microphone()).toMatchObject({ on: true, problem: null });
  });
});

it("is interrupted while the system mutes it, and back by itself", async () => {
  await local.acquire();
  for (const track of devices.opened) track.mute(true);
  expect([microphone().status, camera().status]).toEqual(["interrupted", "interrupted"]);
  expect([microphone().on, camera().on, local.state.get().preview]).toEqual([false, false, null]);
  await local.turn("camera", false);
  for (const track of devices.opened) track.mute(false);
  expect([microphone().status, camera().status]).toEqual(["on", "off"]);
});
