// The polls: made by who keeps order, answered by everybody, and shown as the poll says.
import type { Participant, Poll } from "@connect/sdk";
import type { Call, CallState, PollsState } from "@connect/sdk/call";
import { cleanup, render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { PollsPanel } from "./PollsPanel.tsx";

const polls = { create: vi.fn(), vote: vi.fn(), close: vi.fn(), delete: vi.fn(), showVotes: vi.fn() };
beforeEach(() => vi.clearAllMocks());
afterEach(cleanup);

const poll = (fields: Partial<Poll> = {}): Poll => ({
  id: 1,
  nonce: "n",
  user: "u1",
  name: "Ada",
  question: "Tea?",
  options: ["yes", "no"],
  multiple: false,
  anonymous: false,
  shows: "live",
  createdAt: 0,
  closedAt: null,
  results: { voters: 1, counts: [1, 0] },
  ...fields,
});

function open(role: Participant["role"], state: Partial<PollsState> = {}) {
  const all: PollsState = { polls: [poll()], own: new Map(), named: new Map(), ...state };
  const call = { polls: { ...polls, state: { get: () => all, subscribe: () => () => {} } } };
  const people = { you: "me", participants: [{ id: "me", role }] };
  render(<PollsPanel call={call as unknown as Call} state={people as unknown as CallState} />);
  return userEvent.setup();
}
const button = (name: string) => screen.getByRole("button", { name });

it("votes for what is marked, and not before it is sent", async () => {
  const user = open("viewer");
  expect(button("Vote")).toHaveProperty("disabled", true);
  await user.click(screen.getByRole("radio", { name: "yes" }));
  await user.click(screen.getByRole("radio", { name: "no" }));
  expect(polls.vote).not.toHaveBeenCalled();
  await user.click(button("Vote"));
  expect(polls.vote.mock.calls).toEqual([[1, [1]]]);
  expect(screen.queryByRole("button", { name: "Close poll" })).toBeNull();
  expect(screen.queryByRole("button", { name: "New poll" })).toBeNull();
});

it("lets several be chosen where the poll does, and a vote be changed or taken back", async () => {
  const user = open("speaker", { polls: [poll({ multiple: true })], own: new Map([[1, [0]]]) });
  expect(screen.getByText("Your vote is counted")).toBeTruthy();
  await user.click(screen.getByRole("checkbox", { name: "no" }));
  await user.click(button("Change vote"));
  await user.click(button("Take vote back"));
  expect(polls.vote.mock.calls).toEqual([
    [1, [0, 1]],
    [1, []],
  ]);
});

it("says how a poll stands, and why it does not say more", () => {
  const hidden = { voters: 2, counts: null };
  open("speaker", {
    polls: [
      poll({ id: 1, results: hidden, shows: "atClosing" }),
      poll({ id: 2, results: hidden, anonymous: true }),
      poll({ id: 3, closedAt: 9, results: { voters: 1, counts: [0, 1] } }),
    ],
    own: new Map([[3, [1]]]),
    named: new Map([[3, [{ user: "u1", name: "Ada", choices: [1] }]]]),
  });
  expect(screen.getByText("2 votes · Results when it is closed")).toBeTruthy();
  const few = "2 votes · Anonymous · Results from three votes on, so that nobody can tell who chose what";
  expect(screen.getByText(few)).toBeTruthy();
  const results = within(screen.getByRole("list", { name: "Results" }));
  expect(results.getAllByRole("listitem").map(({ textContent }) => textContent)).toEqual([
    "yes0",
    "no (your vote)1Ada",
  ]);
  expect(screen.getByText("1 vote · Closed")).toBeTruthy();
});

it("lets who keeps order make, close and delete polls", async () => {
  const user = open("moderator");
  await user.click(button("New poll"));
  await user.type(screen.getByRole("textbox", { name: "Question" }), "Lunch?");
  await user.type(screen.getByRole("textbox", { name: "Option 1" }), "soup");
  await user.click(button("Start poll"));
  expect(screen.getByRole("alert").textContent).toBe("Write at least two options.");
  await user.type(screen.getByRole("textbox", { name: "Option 2" }), "salad");
  await user.click(button("Add an option"));
  await user.click(screen.getByRole("checkbox", { name: /^Anonymous/ }));
  await user.click(button("Start poll"));
  expect(polls.create.mock.calls).toEqual([
    [{ question: "Lunch?", options: ["soup", "salad"], multiple: false, anonymous: true, shows: "live" }],
  ]);
  await user.click(button("Close poll"));
  await user.click(button("Delete poll"));
  expect(polls.delete).not.toHaveBeenCalled();
  await user.click(button("Yes, delete"));
  await user.click(button("Who voted"));
  expect([polls.close, polls.delete, polls.showVotes].map(({ mock }) => mock.calls)).toEqual([
    [[1]],
    [[1]],
    [[1]],
  ]);
});
