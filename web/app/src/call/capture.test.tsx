// What a call's page captures: all that is wished for before the call and in it, and nothing under any other page.
import { Call, type CallStatus } from "@connect/sdk/call";
import { act, cleanup, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { ApiContext } from "../api-context.ts";
import { ANN, type Answers, apiWith, problem, SESSION } from "../test-api.ts";
import CallPage from "./CallPage.tsx";

// What is shown of a call needs a browser; which of it is shown does not.
vi.mock("./PreJoin.tsx", () => ({ PreJoin: () => <p>Before the call</p> }));
vi.mock("./InCall.tsx", () => ({ InCall: () => <p>In the call</p> }));

const ROOM = { id: "r", name: "Retro", owner: "u1", createdAt: 1, people: 0, yours: 0 };
const OTHER = [409, { type: "/problems/other-account", title: "T", status: 409, detail: "D" }] as const;

/** A track of a device. */
class Track {
  readyState = "live";
  constructor(readonly kind: string) {}
  getSettings = () => ({});
  stop = () => {
    this.readyState = "ended";
  };
}

let opened: Track[];
/** Where the call stands, as its state says. */
let status: CallStatus;
let changed: () => void;

beforeEach(() => {
  opened = [];
  status = { name: "idle" };
  const getUserMedia = async (constraints: MediaStreamConstraints) => {
    const tracks = Object.keys(constraints).map((kind) => new Track(kind));
    opened.push(...tracks);
    return { getTracks: () => tracks };
  };
  const media = Object.assign(new EventTarget(), { enumerateDevices: async () => [], getUserMedia });
  Object.defineProperty(navigator, "mediaDevices", { value: media, configurable: true });
  vi.stubGlobal("matchMedia", () => ({ matches: false }));
  // The real one would not take our tracks.
  vi.stubGlobal("MediaStream", class {});
});
afterEach(() => {
  cleanup();
  Reflect.deleteProperty(navigator, "mediaDevices");
  Reflect.deleteProperty(window, "connect");
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const live = () => opened.filter(({ readyState }) => readyState === "live").map(({ kind }) => kind);

async function open() {
  const answers: Answers = { "POST /api/auth/refresh": [200, SESSION], "GET /api/rooms/r": [200, ROOM] };
  const { api } = apiWith(answers);
  await api.restore();
  const states = new Map<CallStatus, object>();
  vi.spyOn(Call.prototype, "state", "get").mockReturnValue({
    get: () => {
      if (!states.has(status)) states.set(status, { status, room: null, outbox: [] });
      return states.get(status);
    },
    subscribe: (listener: () => void) => {
      changed = listener;
      return () => {};
    },
  } as unknown as Call["state"]);
  const page = render(
    <ApiContext value={api}>
      <CallPage
        room="r"
        search="?debug"
        visitor={{ entrance: api, isGuest: false, account: "u", name: ANN.name }}
      />
    </ApiContext>,
  );
  await screen.findByText("Before the call");
  await waitFor(() => expect(live()).toEqual(["audio", "video"]));
  const { connect } = window as unknown as { connect: Call };
  return { api, answers, page, local: connect.local };
}

const become = (next: CallStatus) =>
  act(async () => {
    status = next;
    changed();
  });

it("goes on from before the call into it without a gap, and is nothing after it", async () => {
  await open();
  await become({ name: "joined" });
  screen.getByText("In the call");
  expect(live()).toEqual(["audio", "video"]);
  expect(opened).toHaveLength(2);
  await become({ name: "ended", reason: "left" });
  screen.getByText("You left the call");
  expect(live()).toEqual([]);
});

it("is nothing once the room turns out to be missing", async () => {
  const { answers } = await open();
  answers["GET /api/rooms/r"] = problem(404, "Gone.");
  act(() => void dispatchEvent(new Event("focus")));
  await screen.findByText("There is no such room");
  expect(live()).toEqual([]);
});

it("is nothing while another account is signed in, and as before when the page goes on", async () => {
  const user = userEvent.setup();
  const { api, answers, local } = await open();
  await act(() => local.turn("camera", false));
  answers["POST /api/auth/refresh"] = OTHER;
  answers["GET /api/rooms"] = problem(401, "Expired.");
  await act(() => api.rooms().then(undefined, () => {}));
  await screen.findByText("Another account is signed in");
  expect(live()).toEqual([]);
  answers["POST /api/auth/refresh"] = [200, SESSION];
  await user.click(screen.getByRole("button", { name: "Go on with that account" }));
  await screen.findByText("Before the call");
  await waitFor(() => expect(live()).toEqual(["audio"]));
});

it("goes on in the call when its session ends, and is nothing once the page is left", async () => {
  const { api, answers, page } = await open();
  await become({ name: "joined" });
  answers["POST /api/auth/refresh"] = problem(401, "Expired.");
  answers["GET /api/rooms"] = problem(401, "Expired.");
  await act(() => api.rooms().then(undefined, () => {}));
  screen.getByText("In the call");
  expect([live(), opened.length]).toEqual([["audio", "video"], 2]);
  page.unmount();
  expect(live()).toEqual([]);
});
