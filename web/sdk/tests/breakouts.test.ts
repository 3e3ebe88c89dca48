// Breakout rooms: as the room tells, by this machine's clock, and asked for until it is so.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Breakouts, breakoutOf } from "../src/call/breakouts.ts";
import type {
  BreakoutDraft,
  ChatMessage,
  ClientMessage,
  Breakouts as Open,
  Snapshot,
} from "../src/generated/protocol.ts";

const NOW = 1_000_000;
let sent: ClientMessage[];
let said: string[];
const snapshot = (fields: Partial<Snapshot>) => fields as Snapshot;
const open = (fields: Partial<Open> = {}): Open => ({
  rooms: [
    { id: 1, name: "Red" },
    { id: 2, name: "Blue" },
  ],
  assignment: "automatic",
  endsAt: null,
  places: [
    { participant: "me", breakout: 1, away: false },
    { participant: "bob", breakout: 2, away: true },
  ],
  ...fields,
});

function entered(breakouts: Open | null = null): Breakouts {
  const made = new Breakouts({
    send: (message) => sent.push(message) > 0,
    onRefused: () => {},
    you: () => "me",
    announce: (text) => void said.push(text),
  });
  // The room's clock is an hour ahead.
  made.welcome(snapshot({ breakouts, now: NOW + 3_600_000 }));
  return made;
}

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
  sent = [];
  said = [];
});
afterEach(() => vi.useRealTimers());

it("asks for another end until it is so", () => {
  const breakouts = entered(open({ endsAt: NOW + 3_600_000 + 60_000 }));
  breakouts.limit(300);
  breakouts.welcome(null);
  const asked = { type: "limitBreakouts", seconds: 300 };
  expect(sent).toEqual([asked, asked]);
  breakouts.happen({ type: "breakouts", breakouts: open({ endsAt: NOW + 3_900_000 }) });
  expect(breakouts.state.get().endsAt).toBe(NOW + 300_000);
  breakouts.limit(null);
  breakouts.happen({ type: "breakouts", breakouts: open({ endsAt: null }) });
  breakouts.welcome(null);
  expect(sent).toEqual([asked, asked, { type: "limitBreakouts", seconds: null }]);
});

it("knows who is where, and for how long by its own clock", () => {
  const breakouts = entered(open({ endsAt: NOW + 3_600_000 + 60_000 }));
  const where = (id: string) => breakoutOf(breakouts.state.get(), id);
  expect(breakouts.state.get().endsAt).toBe(NOW + 60_000);
  expect(["me", "bob", "ann"].map(where)).toEqual([1, null, null]);
  breakouts.happen({ type: "breakoutPlace", place: { participant: "ann", breakout: 2, away: false } });
  breakouts.happen({ type: "left", participant: "bob", reason: "left" });
  expect([...breakouts.state.get().places.keys()]).toEqual(["me", "ann"]);
  expect(where("ann")).toBe(2);
  breakouts.happen({ type: "breakouts", breakouts: null });
  expect(breakouts.state.get().rooms).toEqual([]);
  expect(where("ann")).toBeNull();
});

it("asks again after a loss, until it is so", () => {
  const breakouts = entered();
  const draft: BreakoutDraft = { names: ["Red"], assignment: "free", assigned: [], seconds: null };
  breakouts.open(draft);
  breakouts.welcome(null);
  breakouts.happen({ type: "breakouts", breakouts: open({ places: [] }) });
  breakouts.welcome(null);
  breakouts.move(2);
  breakouts.move(1, "bob");
  breakouts.happen({ type: "breakoutPlace", place: { participant: "me", breakout: 2, away: false } });
  breakouts.welcome(null);
  breakouts.close();
  expect(sent).toEqual([
    { type: "openBreakouts", draft },
    { type: "openBreakouts", draft },
    { type: "moveToBreakout", participant: "me", breakout: 2 },
    { type: "moveToBreakout", participant: "bob", breakout: 1 },
    { type: "moveToBreakout", participant: "bob", breakout: 1 },
    { type: "closeBreakouts" },
  ]);
});

it("shows what others say to all until it is read, also when they are over", () => {
  const breakouts = entered(open());
  const line = (participant: string, broadcast: boolean) =>
    ({ participant, name: participant, text: "Two minutes", broadcast }) as ChatMessage;
  breakouts.happen({ type: "chat", message: line("ann", false) });
  breakouts.happen({ type: "chat", message: line("me", true) });
  expect(breakouts.state.get().broadcast).toBeNull();
  breakouts.happen({ type: "chat", message: line("ann", true) });
  breakouts.happen({ type: "breakouts", breakouts: null });
  expect(breakouts.state.get().broadcast).toEqual({ name: "ann", text: "Two minutes" });
  breakouts.dismiss();
  expect(breakouts.state.get().broadcast).toBeNull();
  breakouts.announce("Hello");
  expect(said).toEqual(["Hello"]);
});

it("takes a room of the release before for one without any", () => {
  const breakouts = entered(open());
  breakouts.welcome(snapshot({}));
  expect(breakouts.state.get()).toMatchObject({ rooms: [], endsAt: null });
});
