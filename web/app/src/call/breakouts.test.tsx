// Breakout rooms: opened by who keeps order, gone to and left again, and the tiles of those alone who are there.
import type { Participant } from "@connect/sdk";
import type { BreakoutsState, Call, CallState } from "@connect/sdk/call";
import { cleanup, render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { NO_BREAKOUTS } from "../test-breakouts.ts";
import { Alone } from "./Alone.tsx";
import { BreakoutBanners } from "./BreakoutBanners.tsx";
import { BreakoutRooms } from "./BreakoutRooms.tsx";
import { clockWords, nearby } from "./breakouts.ts";

const deeds = {
  open: vi.fn(),
  close: vi.fn(),
  limit: vi.fn(),
  move: vi.fn(),
  announce: vi.fn(),
  dismiss: vi.fn(),
};
beforeEach(() => vi.clearAllMocks());
afterEach(cleanup);

const place = (participant: string, breakout: number, away = false) =>
  [participant, { participant, breakout, away }] as const;
const OPEN: BreakoutsState = {
  ...NO_BREAKOUTS,
  rooms: [
    { id: 1, name: "Red" },
    { id: 2, name: "Blue" },
  ],
  places: new Map([place("me", 1), place("ann", 1), place("bob", 2)]),
};

function setting(role: Participant["role"], breakouts: BreakoutsState) {
  const names = { me: "Me", ann: "Ann", bob: "Bob", cy: "Cy" };
  const state = {
    you: "me",
    participants: Object.entries(names).map(([id, name]) => ({
      id,
      name,
      role: id === "me" ? role : "speaker",
    })),
  } as unknown as CallState;
  const readable = { get: () => breakouts, subscribe: () => () => {} };
  const call = { breakouts: { ...deeds, state: readable } } as unknown as Call;
  return { call, state, user: userEvent.setup() };
}
const button = (name: string | RegExp) => screen.getByRole("button", { name });

it("opens as many as one likes, with names, for a time, and by hand", async () => {
  const { call, state, user } = setting("host", NO_BREAKOUTS);
  render(<BreakoutRooms call={call} state={state} />);
  await user.click(screen.getByText("Breakout rooms"));
  await user.clear(screen.getByRole("spinbutton", { name: "How many" }));
  await user.click(button("Open breakout rooms"));
  expect(screen.getByRole("alert").textContent).toBe("Choose 1 to 50 rooms.");
  await user.type(screen.getByRole("spinbutton", { name: "How many" }), "2");
  const second = screen.getByRole("textbox", { name: "Name of room 2" });
  await user.clear(second);
  await user.type(second, "Blue");
  await user.type(screen.getByRole("spinbutton", { name: /minutes/ }), "5");
  await user.click(screen.getByRole("radio", { name: "I say who goes where" }));
  await user.selectOptions(screen.getByRole("combobox", { name: /Bob/ }), "Blue");
  await user.click(button("Open breakout rooms"));
  const assigned = [{ participant: "bob", nth: 1 }];
  const draft = { names: ["Room 1", "Blue"], assignment: "byHand", assigned, seconds: 300 };
  expect(deeds.open.mock.calls).toEqual([[draft]]);
});

it("gives more time, less of it or as much as one likes", async () => {
  const { call, state, user } = setting("host", { ...OPEN, endsAt: Date.now() + 60_000 });
  render(<BreakoutRooms call={call} state={state} />);
  await user.click(button("5 minutes more"));
  await user.click(button("End in a minute"));
  await user.click(button("No limit"));
  const [[more] = [null], ...others] = deeds.limit.mock.calls as [number | null][];
  expect(more).toBeGreaterThan(350);
  expect(more).toBeLessThanOrEqual(360);
  expect(others).toEqual([[60], [null]]);
  cleanup();
  render(<BreakoutRooms {...setting("host", OPEN)} />);
  expect(button("End in 5 minutes")).toBeTruthy();
  expect(screen.queryByRole("button", { name: "No limit" })).toBeNull();
  cleanup();
  render(<BreakoutRooms {...setting("speaker", OPEN)} />);
  expect(screen.queryByRole("group", { name: "Time of the breakout rooms" })).toBeNull();
});

it("lets who keeps order go anywhere, move people, say something to all and bring them back", async () => {
  const { call, state, user } = setting("moderator", OPEN);
  render(<BreakoutRooms call={call} state={state} />);
  const red = within(screen.getByRole("list", { name: /In .*Red/ }));
  expect(red.getAllByRole("listitem").map(({ textContent }) => textContent?.slice(0, 3))).toEqual([
    "MeM",
    "Ann",
  ]);
  await user.click(button(/^Go to .*Blue/));
  await user.selectOptions(screen.getByRole("combobox", { name: /^Move .*Cy/ }), "Red");
  await user.selectOptions(screen.getByRole("combobox", { name: /^Move .*Ann/ }), "Main room");
  expect(deeds.move.mock.calls).toEqual([[2], [1, "cy"], [null, "ann"]]);
  await user.type(screen.getByRole("textbox", { name: "Say to all rooms" }), " Two minutes ");
  await user.click(button("Say it"));
  await user.click(button("Bring everybody back"));
  expect(deeds.announce.mock.calls).toEqual([["Two minutes"]]);
  expect(deeds.close).toHaveBeenCalledOnce();
});

it("shows nobody else a form, and lets them go back, and anywhere where all are free", async () => {
  const first = setting("speaker", NO_BREAKOUTS);
  const { container, unmount } = render(<BreakoutRooms call={first.call} state={first.state} />);
  expect(container.textContent).toBe("");
  unmount();
  const { call, state, user } = setting("speaker", OPEN);
  render(<BreakoutRooms call={call} state={state} />);
  expect(screen.queryByRole("button", { name: /Blue/ })).toBeNull();
  expect(screen.queryByRole("combobox")).toBeNull();
  await user.click(button(/^Go to .*Main room/));
  cleanup();
  const free = setting("speaker", { ...OPEN, assignment: "free" });
  render(<BreakoutRooms call={free.call} state={free.state} />);
  await free.user.click(button(/^Go to .*Blue/));
  expect(deeds.move.mock.calls).toEqual([[null], [2]]);
});

it("says where one is, for how long, and what is said to all", async () => {
  const endsAt = Date.now() + 90_000;
  const { call, state, user } = setting("speaker", {
    ...OPEN,
    endsAt,
    broadcast: { name: "Ada", text: "Two minutes" },
  });
  render(<BreakoutBanners call={call} state={state} />);
  expect(screen.getByText("Red").parentElement?.textContent).toMatch(/breakout room Red · 1:(30|29) left/);
  await user.click(button("Back to the main room"));
  await user.click(button("Close"));
  expect(deeds.move.mock.calls).toEqual([[null]]);
  expect(deeds.dismiss).toHaveBeenCalledOnce();
  cleanup();
  const away = setting("speaker", { ...OPEN, places: new Map([place("me", 1, true)]) });
  render(<BreakoutBanners call={away.call} state={away.state} />);
  await away.user.click(button("Go there"));
  expect(deeds.move.mock.calls[1]).toEqual([1]);
});

it("shows those alone who are where one is", () => {
  const { state } = setting("speaker", NO_BREAKOUTS);
  const names = (breakouts: BreakoutsState) => nearby(state, breakouts).participants.map(({ id }) => id);
  expect(names(OPEN)).toEqual(["me", "ann"]);
  expect(names({ ...OPEN, places: new Map([place("bob", 2)]) })).toEqual(["me", "ann", "cy"]);
  expect(names(NO_BREAKOUTS)).toEqual(["me", "ann", "bob", "cy"]);
  expect([0, 999, 61_000, -5].map(clockWords)).toEqual(["0:00", "0:01", "1:01", "0:00"]);
});

it.each([
  [OPEN, "You're the only one in Red", false],
  [{ ...OPEN, places: new Map() }, "You're the only one in the main room", false],
  [NO_BREAKOUTS, "You're the only one here", true],
] as const)(
  "says where one is alone, and shows the link when nobody else came: %#",
  (breakouts, words, link) => {
    const { call } = setting("host", breakouts);
    render(<Alone call={call} you="me" room="r" />);
    expect(screen.getByRole("heading").textContent).toBe(words);
    expect(screen.queryByRole("button", { name: /link/i }) !== null).toBe(link);
  },
);
