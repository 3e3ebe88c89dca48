// Polls: the room's word is what counts, and what one has asked for is asked again until it is there.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Polls } from "../src/call/polls.ts";
import type { ClientMessage, Poll, Snapshot } from "../src/generated/protocol.ts";

const draft = {
  question: "Tea?",
  options: ["yes", "no"],
  multiple: false,
  anonymous: false,
  shows: "live" as const,
};
const poll = (fields: Partial<Poll> = {}): Poll => ({
  ...draft,
  id: 1,
  nonce: "n",
  user: "u1",
  name: "Ada",
  createdAt: 0,
  closedAt: null,
  results: { voters: 0, counts: [0, 0] },
  ...fields,
});

let sent: ClientMessage[];
let said: (string | null)[];
let connected: boolean;
let polls: Polls;

beforeEach(() => {
  vi.useFakeTimers();
  [sent, said, connected] = [[], [], true];
  polls = new Polls({
    send: (message) => connected && sent.push(message) > 0,
    onRefused: (why) => said.push(why),
  });
});
afterEach(() => vi.useRealTimers());

const snapshot = (...all: Poll[]) => ({ polls: all }) as unknown as Snapshot;
const refuse = (fields: object) =>
  polls.refused({
    type: "error",
    code: "forbidden",
    message: "no",
    nonce: null,
    of: "vote",
    retryAfterMs: null,
    ...fields,
  });
const types = () => sent.map(({ type }) => type);

it("knows the room's polls and follows them", () => {
  polls.welcome(snapshot(poll()));
  polls.happen({ type: "poll", poll: poll({ id: 2 }) });
  polls.happen({ type: "pollResults", poll: 1, results: { voters: 1, counts: [1, 0] } });
  polls.happen({ type: "poll", poll: poll({ id: 2, closedAt: 5 }) });
  polls.happen({ type: "poll", poll: poll({ id: 2, closedAt: 5 }) });
  expect(polls.state.get().polls).toEqual([
    poll({ results: { voters: 1, counts: [1, 0] } }),
    poll({ id: 2, closedAt: 5 }),
  ]);
  polls.happen({ type: "pollDeleted", poll: 1 });
  expect(polls.state.get().polls.map(({ id }) => id)).toEqual([2]);
  polls.end();
  expect(polls.state.get().polls).toEqual([]);
});

it("asks again after a loss until the poll is made, under the same nonce", () => {
  polls.create(draft);
  polls.welcome(snapshot());
  expect(sent[0]).toEqual(sent[1]);
  const nonce = sent[0]?.type === "createPoll" ? sent[0].nonce : "";
  polls.happen({ type: "poll", poll: poll({ nonce }) });
  polls.welcome(null);
  expect(types()).toEqual(["createPoll", "createPoll"]);
});

it("takes the room's answer for it, too: the poll may be gone by then", () => {
  polls.create(draft);
  const nonce = sent[0]?.type === "createPoll" ? sent[0].nonce : "";
  polls.receive({ type: "pollCreated", nonce, poll: 1 });
  polls.welcome(snapshot());
  expect(types()).toEqual(["createPoll"]);
});

it("votes until the room has stored it", () => {
  polls.welcome(snapshot(poll()));
  polls.vote(1, [1, 0, 1]);
  expect(sent).toEqual([{ type: "vote", poll: 1, choices: [0, 1] }]);
  polls.receive({ type: "ownVotes", votes: [] });
  polls.welcome(null);
  polls.receive({ type: "ownVotes", votes: [{ poll: 1, choices: [0, 1] }] });
  polls.welcome(null);
  expect(types()).toEqual(["vote", "vote"]);
  expect(polls.state.get().own.get(1)).toEqual([0, 1]);
});

it("waits when the room says so, tries again, and says why when it takes too long", () => {
  polls.welcome(snapshot(poll()));
  polls.vote(1, [0]);
  refuse({ code: "rateLimited", message: "too much at once", retryAfterMs: 2_000 });
  vi.advanceTimersByTime(1_999);
  expect(types()).toEqual(["vote"]);
  vi.advanceTimersByTime(1);
  expect(types()).toEqual(["vote", "vote"]);
  vi.advanceTimersByTime(15_000);
  expect(said).toEqual([null, "too much at once"]);
});

it("says why something is not done", () => {
  polls.welcome(snapshot(poll()));
  polls.vote(1, [0]);
  refuse({ code: "pollClosed", message: "this poll is closed" });
  polls.create(draft);
  polls.create(draft);
  const nonce = sent[1]?.type === "createPoll" ? sent[1].nonce : "";
  refuse({ of: "createPoll", nonce, message: "not you" });
  connected = false;
  polls.close(1);
  expect(said).toEqual([
    null,
    "this poll is closed",
    null,
    null,
    "not you",
    "you are not connected right now",
  ]);
  connected = true;
  sent = [];
  // Only the other one is still asked for.
  polls.welcome(null);
  expect(types()).toEqual(["createPoll"]);
});

it("closes, deletes, and shows who voted", () => {
  polls.welcome(snapshot(poll(), poll({ id: 2 })));
  polls.close(1);
  polls.delete(2);
  polls.showVotes(1);
  polls.happen({ type: "poll", poll: poll({ closedAt: 9 }) });
  polls.happen({ type: "pollDeleted", poll: 2 });
  polls.receive({ type: "pollVotes", poll: 1, votes: [{ user: "u2", name: "Bob", choices: [1] }] });
  polls.welcome(null);
  expect(types()).toEqual(["closePoll", "deletePoll", "showVotes"]);
  expect(polls.state.get().named.get(1)).toEqual([{ user: "u2", name: "Bob", choices: [1] }]);
});
