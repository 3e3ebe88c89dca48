// The own devices as a person meets them: toggles, lists, and what is told when something is wrong.
import { Call } from "@connect/sdk/call";
import { act, cleanup, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { apiWith } from "../test-api.ts";
import { DeviceMenu } from "./DeviceMenu.tsx";
import { DeviceNotices } from "./DeviceNotices.tsx";
import { DeviceToggles } from "./DeviceToggles.tsx";

/** A track of a device, with the events that a browser would send. */
class Track {
  readyState = "live";
  enabled = true;
  muted = false;
  contentHint = "";
  onended: (() => void) | null = null;
  onmute: (() => void) | null = null;
  constructor(
    readonly kind: string,
    readonly label: string,
  ) {}
  getSettings = () => ({ deviceId: this.label });
  stop = () => {
    this.readyState = "ended";
  };
}

let plugged: { kind: string; deviceId: string; label: string }[];
let opened: Track[];
/** Lets a request wait until it is called. */
let open: (() => void) | null;
let media: EventTarget;
let call: Call;

const unplug = (label: string) =>
  act(async () => {
    plugged = plugged.filter((device) => device.label !== label);
    const track = opened.find((one) => one.label === label && one.readyState === "live");
    track?.stop();
    track?.onended?.();
    media.dispatchEvent(new Event("devicechange"));
  });

beforeEach(() => {
  opened = [];
  open = null;
  plugged = [
    { kind: "audioinput", deviceId: "Built-in", label: "Built-in" },
    { kind: "audioinput", deviceId: "Headset", label: "Headset" },
    { kind: "videoinput", deviceId: "Camera", label: "Camera" },
  ];
  media = Object.assign(new EventTarget(), {
    enumerateDevices: async () => plugged,
    getUserMedia: async (constraints: Record<string, { deviceId?: { exact: string } }>) => {
      if (open !== null)
        await new Promise<void>((done) => {
          open = done;
        });
      const tracks = Object.entries(constraints).map(([kind, { deviceId }]) => {
        const found = plugged.find(
          (device) =>
            device.kind === `${kind}input` && (deviceId?.exact ?? device.deviceId) === device.deviceId,
        );
        if (found === undefined) throw new DOMException("gone", "NotFoundError");
        return new Track(kind, found.label);
      });
      opened.push(...tracks);
      return { getTracks: () => tracks };
    },
  });
  Object.defineProperty(navigator, "mediaDevices", { value: media, configurable: true });
  vi.stubGlobal(
    "MediaStream",
    class extends MediaStream {
      // Its tracks are ours, which the real one would not take.
      constructor(_: unknown) {
        super();
      }
    },
  );
  call = new Call(apiWith({}).api, "room");
  render(
    <>
      <DeviceToggles local={call.local} />
      <DeviceMenu call={call} />
      <DeviceNotices call={call} />
    </>,
  );
});
afterEach(() => {
  cleanup();
  call.dispose();
  Reflect.deleteProperty(navigator, "mediaDevices");
  vi.unstubAllGlobals();
});

const button = (name: string) => screen.getByRole("button", { name });
const pressed = (name: string) => button(name).getAttribute("aria-pressed");

describe("a device's button", () => {
  it("turns off what is still starting", async () => {
    const user = userEvent.setup();
    open = () => {};
    await user.click(button("Camera"));
    expect([pressed("Camera"), button("Camera").getAttribute("aria-busy")]).toEqual(["true", "true"]);
    await user.click(button("Camera"));
    expect(pressed("Camera")).toBe("false");
    await act(async () => open?.());
    await waitFor(() => expect(opened.map(({ readyState }) => readyState)).toEqual(["ended"]));
    expect(pressed("Camera")).toBe("false");
  });

  it("shows what others see when the system mutes it", async () => {
    await act(() => call.local.turn("microphone", true));
    expect(pressed("Microphone")).toBe("true");
    await act(async () => {
      for (const track of opened) {
        track.muted = true;
        track.onmute?.();
      }
    });
    expect(pressed("Microphone")).toBe("false");
    expect(button("Microphone").getAttribute("title")).toContain("system has muted");
    screen.getByText(/nobody hears you\. It comes back by itself/);
  });
});

describe("the choice of devices", () => {
  it("is there in the call, by keyboard too", async () => {
    const user = userEvent.setup();
    await act(() => call.local.acquire());
    button("Devices").focus();
    await user.keyboard("{Enter}");
    expect(document.activeElement).toBe(screen.getByLabelText("Audio input"));
    await user.selectOptions(screen.getByLabelText("Audio input"), "Headset");
    await waitFor(() => expect(call.local.state.get().microphone.used).toBe("Headset"));
    await user.keyboard("{Escape}");
    expect(screen.queryByLabelText("Audio input")).toBeNull();
    expect(document.activeElement).toBe(button("Devices"));
  });

  it("can make the choice for good what only stands in for it", async () => {
    const user = userEvent.setup();
    await act(() => call.local.acquire());
    await user.click(button("Devices"));
    const list = screen.getByLabelText<HTMLSelectElement>("Audio input");
    const shown = () => list.selectedOptions[0]?.textContent;
    expect(shown()).toBe("Standard: Built-in");
    await user.selectOptions(list, "Headset");
    await waitFor(() => expect(shown()).toBe("Headset"));
    await unplug("Headset");
    await waitFor(() => expect(shown()).toBe("Built-in, for now"));
    await user.selectOptions(list, "Built-in");
    await waitFor(() => expect(shown()).toBe("Built-in"));
    expect(call.local.state.get().microphone).toMatchObject({ chosen: "Built-in", problem: null });
  });

  it("says that what was chosen is away, while nothing is on", async () => {
    await act(() => call.local.choose("camera", "Camera"));
    await act(() => call.local.acquire());
    await act(() => call.local.turn("camera", false));
    plugged.push({ kind: "videoinput", deviceId: "Other", label: "Other" });
    await unplug("Camera");
    const user = userEvent.setup();
    await user.click(button("Devices"));
    const list = screen.getByLabelText<HTMLSelectElement>("Video input");
    expect(list.selectedOptions[0]?.textContent).toBe("Your choice is not connected");
    await user.selectOptions(list, "Standard");
    expect(call.local.state.get().camera.chosen).toBeNull();
  });

  it("closes with a press beside it", async () => {
    const user = userEvent.setup();
    await user.click(button("Devices"));
    screen.getByLabelText("Audio input");
    await user.click(document.body);
    expect(screen.queryByLabelText("Audio input")).toBeNull();
  });
});

describe("what is wrong", () => {
  it("is told when the chosen device is unplugged, and put away for that time", async () => {
    const user = userEvent.setup();
    await act(() => call.local.acquire());
    await act(() => call.local.choose("microphone", "Headset"));
    await unplug("Headset");
    await screen.findByText(/you chose is not connected\. Built-in is on instead/);
    await user.click(button("Put away"));
    expect(screen.queryByText(/is not connected/)).toBeNull();
    await unplug("Built-in");
    await screen.findByText(/It is on again as soon as you plug one in/);
  });

  it("is told, with a way on, when the browser does not play the sound", async () => {
    const user = userEvent.setup();
    const play = vi.spyOn(HTMLMediaElement.prototype, "play");
    play.mockRejectedValue(new DOMException("no gesture", "NotAllowedError"));
    await act(async () => call.speaker.play([{ readyState: "live" } as MediaStreamTrack]));
    const resume = await screen.findByRole("button", { name: "Play sound" });
    play.mockRestore();
    await user.click(resume);
    await waitFor(() => expect(screen.queryByRole("button", { name: "Play sound" })).toBeNull());
  });
});
