// A part of the call's page that cannot be drawn: the call, the other parts and the way out stay.
import type { Participant } from "@connect/sdk";
import { Call, type CallState } from "@connect/sdk/call";
import { cleanup, render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { ApiContext } from "../api-context.ts";
import { apiWith } from "../test-api.ts";
import { InCall } from "./InCall.tsx";

const { wrong, part } = vi.hoisted(() => {
  /** The parts in which there is a mistake now. */
  const wrong = new Set<string>();
  /** A part of the page that says its name, or cannot be drawn. */
  const part = (name: string) => {
    if (wrong.has(name)) throw new Error("a mistake of ours");
    return name;
  };
  return { wrong, part };
});
vi.mock("./ChatPanel.tsx", () => ({ ChatPanel: () => part("chat") }));
vi.mock("./DeviceMenu.tsx", () => ({ DeviceMenu: () => part("devices") }));
vi.mock("./CallBanners.tsx", () => ({ CallBanners: () => part("banners") }));
vi.mock("./ConnectionDetails.tsx", () => ({ ConnectionDetails: () => part("connection") }));
vi.mock("./Avatar.tsx", () => ({ Avatar: ({ name }: { name: string }) => part(`tile of ${name}`) }));

const person = (id: string): Participant => ({
  id,
  user: id,
  name: id,
  role: "speaker",
  guest: false,
  publishing: { microphone: false, camera: false, screen: false, codec: null },
  caps: { audio: true, video: true, screen: true, captions: true, maxLayer: null, maxBitrate: null },
  region: null,
  connection: "connected",
  decodes: [],
  joinedAt: 0,
});

const { api } = apiWith({});
let call: Call;

beforeEach(() => {
  // React reports what a boundary has caught.
  vi.spyOn(console, "error").mockImplementation(() => {});
  const ResizeObserver = class {
    observe = () => {};
    disconnect = () => {};
  };
  vi.stubGlobal("ResizeObserver", ResizeObserver);
  wrong.clear();
  call = new Call(api, "r");
});
afterEach(() => {
  cleanup();
  call.dispose();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

it.each(["chat", "devices", "banners", "connection", "tile of ann"])(
  "says so in its place and may be tried again: %s",
  async (name) => {
    wrong.add(name);
    const people = { you: "me", participants: [person("me"), person("ann")] };
    const state: CallState = { ...call.state.get(), status: { name: "joined" }, ...people };
    render(
      <ApiContext value={api}>
        <InCall call={call} state={state} room="r" capacity={9} />
      </ApiContext>,
    );
    const user = userEvent.setup();
    await user.click(screen.getByRole("button", { name: "Chat" }));
    const alert = await screen.findByRole("alert");
    expect(alert.textContent).toContain("the call goes on");
    expect(screen.getByRole("button", { name: "Leave" })).toBeTruthy();
    expect(screen.getByText("tile of me")).toBeTruthy();
    wrong.clear();
    await user.click(within(alert).getByRole("button", { name: "Try again" }));
    expect(screen.queryByRole("alert")).toBeNull();
    expect(screen.getByText(name)).toBeTruthy();
  },
);
