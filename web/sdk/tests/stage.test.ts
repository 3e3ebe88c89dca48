// The stage of a webinar: who asks for it, in which order, and what each is told of oneself.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Stage } from "../src/call/stage.ts";
import type { ClientMessage, Participant, Role, RoomEvent, Snapshot } from "../src/generated/protocol.ts";

let sent: ClientMessage[];
let refusals: (string | null)[];
const handlers = {
  send: (message: ClientMessage) => sent.push(message) > 0,
  onRefused: (why: string | null) => refusals.push(why),
};
const me = (role: Role) => [{ id: "me", role }] as unknown as Participant[];
const snapshot = (role: Role, wishes: string[] = []) =>
  ({ participants: me(role), wishes }) as unknown as Snapshot;
const stage = (wish: "asked" | "withdrawn" | "refused", ...participants: string[]): RoomEvent => ({
  type: "stage",
  participants,
  wish,
});
const role = (participant: string, role: Role): RoomEvent => ({ type: "role", participant, role });

function enter(as: Role, wishes: string[] = []): Stage {
  const entered = new Stage(handlers, () => "me");
  entered.welcome(snapshot(as, wishes));
  return entered;
}

beforeEach(() => {
  vi.useFakeTimers();
  sent = [];
  refusals = [];
});
afterEach(() => vi.useRealTimers());

it("knows who asks, in their order, until they are brought, refused or gone", () => {
  const { state, happen } = bound(enter("host", ["ann", "bob"]));
  happen(stage("asked", "cid"), stage("asked", "ann"));
  expect(state().asking).toEqual(["bob", "cid", "ann"]);
  happen(stage("withdrawn", "bob"), role("cid", "speaker"));
  expect(state().asking).toEqual(["ann"]);
  happen({ type: "left", participant: "ann", reason: "left" });
  expect(state()).toEqual({ asking: [], news: null });
});

it("tells a viewer what becomes of them", () => {
  const entered = enter("viewer");
  const { state, happen } = bound(entered);
  expect(state().news).toBeNull();
  happen(stage("asked", "me"), stage("refused", "ann", "me"));
  expect(state().news).toBe("refused");
  happen(stage("asked", "me"), role("me", "speaker"));
  expect(state()).toEqual({ asking: [], news: "onStage" });
  happen(role("me", "moderator"));
  entered.dismiss();
  happen(role("me", "viewer"));
  expect(state().news).toBe("viewer");
});

it("tells it also if it was missed", () => {
  const entered = enter("viewer", ["me"]);
  entered.welcome(snapshot("speaker"));
  expect(entered.state.get()).toEqual({ asking: [], news: "onStage" });
});

it("asks, brings and refuses until it is so", () => {
  const entered = enter("viewer", ["ann", "bob", "cid"]);
  entered.ask();
  entered.welcome(null);
  entered.happen(stage("asked", "me"));
  entered.withdraw();
  entered.bring("ann");
  entered.refuse("bob");
  for (const event of [role("ann", "speaker"), stage("refused", "bob"), stage("withdrawn", "me")])
    entered.happen(event);
  entered.refuse();
  entered.happen(stage("refused", "cid"));
  entered.welcome(null);
  expect(sent).toEqual([
    { type: "askToSpeak", on: true },
    { type: "askToSpeak", on: true },
    { type: "askToSpeak", on: false },
    { type: "setRole", participant: "ann", role: "speaker" },
    { type: "refuseToSpeak", participant: "bob" },
    { type: "refuseToSpeak", participant: null },
  ]);
  vi.advanceTimersByTime(60_000);
  expect(refusals.filter((why) => why !== null)).toEqual([]);
});

function bound(entered: Stage) {
  return {
    state: () => entered.state.get(),
    happen: (...events: RoomEvent[]) => {
      for (const event of events) entered.happen(event);
    },
  };
}
