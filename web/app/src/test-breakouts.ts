// For tests: the part of a call that knows breakout rooms, none of which are open.
import type { BreakoutsState } from "@connect/sdk/call";

export const NO_BREAKOUTS: BreakoutsState = {
  rooms: [],
  assignment: "automatic",
  endsAt: null,
  places: new Map(),
  broadcast: null,
};

export const noBreakouts = { state: { get: () => NO_BREAKOUTS, subscribe: () => () => {} } };
