// Raised hands, the spotlight and reactions: as the room tells, and asked for until it does.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Hands } from "../src/call/hands.ts";
import { Reactions } from "../src/call/reactions.ts";
import { Spotlight } from "../src/call/spotlight.ts";
import type { ClientMessage, Snapshot } from "../src/generated/protocol.ts";

let sent: ClientMessage[];
const handlers = { send: (message: ClientMessage) => sent.push(message) > 0, onRefused: () => {} };
const snapshot = (fields: Partial<Snapshot>) => fields as Snapshot;
const left = (participant: string) => ({ type: "left", participant, reason: "left" }) as const;

beforeEach(() => {
  vi.useFakeTimers();
  sent = [];
});
afterEach(() => vi.useRealTimers());

it("keeps hands in their order", () => {
  const hands = new Hands(handlers, () => "me");
  hands.welcome(snapshot({ hands: ["ann", "bob"] }));
  for (const participant of ["me", "ann"]) hands.happen({ type: "hand", participant, raised: true });
  expect(hands.state.get()).toEqual(["ann", "bob", "me"]);
  hands.happen({ type: "hand", participant: "bob", raised: false });
  hands.happen(left("ann"));
  expect(hands.state.get()).toEqual(["me"]);
  hands.happen({ type: "handsLowered" });
  expect(hands.state.get()).toEqual([]);
});

it("raises and lowers hands until it is so", () => {
  const hands = new Hands(handlers, () => "me");
  hands.raise();
  hands.welcome(null);
  hands.happen({ type: "hand", participant: "me", raised: true });
  hands.welcome(null);
  hands.lower();
  hands.lower("ann");
  hands.lowerAll();
  expect(sent).toEqual([
    { type: "raiseHand" },
    { type: "raiseHand" },
    { type: "lowerHand", participant: "me" },
    { type: "lowerHand", participant: "ann" },
    { type: "lowerAllHands" },
  ]);
});

it("knows who is in the spotlight", () => {
  const spotlight = new Spotlight(handlers);
  spotlight.welcome(snapshot({ spotlight: ["ann"] }));
  spotlight.set("bob", true);
  spotlight.happen({ type: "spotlight", participants: ["ann", "bob"] });
  spotlight.welcome(null);
  expect(sent).toEqual([{ type: "spotlight", participant: "bob", on: true }]);
  spotlight.happen(left("ann"));
  expect(spotlight.state.get()).toEqual(["bob"]);
});

it("shows a reaction for a moment", () => {
  const reactions = new Reactions(handlers.send);
  reactions.show("clap");
  reactions.receive({ type: "reacted", participant: "ann", reaction: "heart" });
  vi.advanceTimersByTime(3_000);
  reactions.receive({ type: "reacted", participant: "ann", reaction: "heart" });
  expect(reactions.state.get().map(({ id }) => id)).toEqual([1, 2]);
  vi.advanceTimersByTime(2_000);
  expect(reactions.state.get().map(({ id }) => id)).toEqual([2]);
  reactions.end();
  expect([reactions.state.get(), sent]).toEqual([[], [{ type: "react", reaction: "clap" }]]);
});
