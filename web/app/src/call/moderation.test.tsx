// Moderation on the page: who is offered what about whom, and what is said to those whom it is about.
import type { Participant, Role } from "@connect/sdk";
import type { Call, CallState, ModerationState } from "@connect/sdk/call";
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { noBreakouts } from "../test-breakouts.ts";
import { ModerationBanners } from "./ModerationBanners.tsx";
import { PeoplePanel } from "./PeoplePanel.tsx";
import { capsNotice } from "./words.ts";

const caps = { audio: true, video: true, screen: true, captions: true, maxLayer: null, maxBitrate: null };
const person = (id: string, role: Role, fields: Partial<Participant> = {}): Participant => ({
  id,
  user: id,
  name: id,
  role,
  guest: false,
  publishing: { microphone: true, camera: false, screen: false, codec: null },
  caps,
  region: null,
  connection: "connected",
  decodes: [],
  joinedAt: 0,
  ...fields,
});

let told: ModerationState;
const moderation = {
  state: { get: () => told, subscribe: () => () => {} },
  turnOff: vi.fn(),
  askToUnmute: vi.fn(),
  muteAll: vi.fn(),
  setCaps: vi.fn(),
  setRole: vi.fn(),
  unmute: vi.fn(),
  decline: vi.fn(),
  dismiss: vi.fn(),
};
const NOBODY = { knocking: [], banned: [] };
const door = { state: { get: () => NOBODY, subscribe: () => () => {} }, ban: vi.fn() };
const nobody: string[] = [];
const none = { state: { get: () => nobody, subscribe: () => () => {} } };
const STAGE = { asking: [], news: null };
const call = {
  door,
  stage: { state: { get: () => STAGE, subscribe: () => () => {} } },
  moderation,
  configure: vi.fn(),
  local: { turn: vi.fn() },
  hands: none,
  breakouts: noBreakouts,
  spotlight: none,
} as unknown as Call;
const state = (participants: Participant[]) =>
  ({
    participants,
    you: "me",
    room: null,
    reports: new Map(),
    settings: { kind: "meeting" },
  }) as unknown as CallState;
const press = (name: string) => userEvent.setup().click(screen.getByRole("button", { name }));
const buttons = () => screen.queryAllByRole("button").map(({ textContent }) => textContent);

beforeEach(() => {
  told = { askedBy: null, turnedOff: null };
});
afterEach(() => {
  cleanup();
  vi.clearAllMocks();
});

it("offers moderators those who keep no order, and the host everybody", () => {
  const open = (role: Role) => {
    cleanup();
    const people = [person("me", role), person("mo", "moderator"), person("ben", "speaker")];
    render(<PeoplePanel call={call} state={state(people)} />);
    return screen.queryAllByRole("button", { name: /^Moderate/ }).length;
  };
  expect([open("host"), open("moderator"), open("speaker")]).toEqual([2, 1, 0]);
});

it("mutes, asks, limits and gives a role", async () => {
  const ben = person("ben", "speaker");
  const { rerender } = render(<PeoplePanel call={call} state={state([person("me", "host"), ben])} />);
  await press("Mute all");
  expect(moderation.muteAll).toHaveBeenCalledWith("soft");
  await userEvent.setup().click(screen.getByRole("button", { name: /^Moderate/ }));
  await press("Mute");
  expect(moderation.turnOff).toHaveBeenCalledWith("ben", "microphone");
  await press("Forbid to speak");
  expect(moderation.setCaps).toHaveBeenCalledWith("ben", { audio: false });
  await userEvent.setup().selectOptions(screen.getByLabelText("Video quality"), "Low");
  expect(moderation.setCaps).toHaveBeenCalledWith("ben", { maxLayer: 0, maxBitrate: 400_000 });
  await press("Make moderator");
  expect(moderation.setRole).toHaveBeenCalledWith("ben", "moderator");
  const silent = { ...ben, publishing: { ...ben.publishing, microphone: false } };
  rerender(<PeoplePanel call={call} state={state([person("me", "host"), silent])} />);
  await press("Ask to unmute");
  expect(moderation.askToUnmute).toHaveBeenCalledWith("ben");
});

it("says for what a ban of a guest holds, and has the host's way to keep them all out beside it", async () => {
  const open = async (role: Role, fields: Partial<Participant>) => {
    cleanup();
    const people = [person("me", role), person("gil", "guest", fields)];
    render(<PeoplePanel call={call} state={state(people)} />);
    await userEvent.setup().click(screen.getByRole("button", { name: /^Moderate/ }));
    await press("Remove");
    return document.body.textContent;
  };
  expect(await open("host", { guest: false })).not.toContain("private window");
  expect(await open("moderator", { guest: true })).toContain("The host can keep guests out");
  expect(buttons()).not.toContain("Ban, and let no more guests in");
  expect(await open("host", { guest: true })).toContain("from a private window");
  await press("Ban, and let no more guests in");
  expect(call.configure).toHaveBeenCalledWith({ guests: false });
  expect(door.ban).toHaveBeenCalledWith("gil");
});

it("says who muted, and has the way back beside it", async () => {
  told = { askedBy: null, turnedOff: { source: "microphone", by: "ada" } };
  render(<ModerationBanners call={call} state={state([person("me", "speaker"), person("ada", "host")])} />);
  expect(document.body.textContent).toContain("ada muted you.");
  await press("Unmute");
  expect(call.local.turn).toHaveBeenCalledWith("microphone", true);
});

it("asks to unmute, also for somebody who has gone meanwhile", async () => {
  told = { askedBy: "ada", turnedOff: { source: "microphone", by: "ada" } };
  render(<ModerationBanners call={call} state={state([person("me", "speaker")])} />);
  expect(document.body.textContent).toContain("A moderator asks you to unmute.");
  expect(buttons()).toEqual(["Unmute", "Not now"]);
  await press("Not now");
  expect(moderation.decline).toHaveBeenCalled();
  await press("Unmute");
  expect(moderation.unmute).toHaveBeenCalled();
});

it("tells nobody who came to watch that they may not speak", () => {
  const forbidden = { ...caps, audio: false, video: false };
  const notice = (role: Role) => capsNotice({ ...state([person("me", role)]), caps: forbidden });
  expect(notice("speaker")).toBe("A moderator muted you, video too");
  expect(notice("viewer")).toBeNull();
});
