// Who is where while breakout rooms are open, in words and as the tiles show it.
import type { ParticipantId } from "@connect/sdk";
import { type BreakoutsState, breakoutOf, type CallState } from "@connect/sdk/call";

/** The call with those alone who are where oneself is. */
export function nearby(state: CallState, breakouts: BreakoutsState): CallState {
  if (breakouts.rooms.length === 0) return state;
  const here = breakoutOf(breakouts, state.you);
  const participants = state.participants.filter(({ id }) => breakoutOf(breakouts, id) === here);
  return { ...state, participants };
}

/** The name of the breakout room to which somebody belongs; null if to none. */
export function ownRoom(breakouts: BreakoutsState, participant: ParticipantId | null): string | null {
  const place = participant === null ? undefined : breakouts.places.get(participant);
  return breakouts.rooms.find(({ id }) => id === place?.breakout)?.name ?? null;
}

/** How long there is, as minutes and seconds. */
export function clockWords(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1_000));
  const two = (count: number) => String(count).padStart(2, "0");
  return `${Math.floor(seconds / 60)}:${two(seconds % 60)}`;
}
