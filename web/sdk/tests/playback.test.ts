// Playback: for how long pictures stood still, as the node is told.
import { describe, expect, it } from "vitest";
import { Playback } from "../src/call/playback.ts";
import { type CallStatistics, statisticsOf } from "../src/call/statistics.ts";
import type { TrackId } from "../src/generated/protocol.ts";

const camera = (participant: string): TrackId => ({ participant, source: "camera" });

/** What the browser measures of slots: their track, and how long their picture has stood still so far. */
function measured(slots: Record<string, readonly [TrackId, number]>): CallStatistics {
  const entries = Object.entries(slots).map(
    ([mid, [, frozen]]) => [mid, { type: "inbound-rtp", mid, totalFreezesDuration: frozen }] as const,
  );
  return statisticsOf(new Map<string, unknown>(entries), {
    trackOf: (mid) => slots[mid]?.[0],
    sourceOf: () => undefined,
  });
}

/** Looks once a second; returns what was told, by the second. */
function told(looks: readonly CallStatistics[]): (readonly [second: number, share: number])[] {
  const playback = new Playback();
  return looks.flatMap((look, second) => {
    const share = playback.look(look, 1_000 * second);
    return share === null ? [] : [[second, share] as const];
  });
}

describe("playback", () => {
  it("tells the share of the time since the last report, every five seconds", () => {
    const frozen = [7, 7, 7, 8, 8, 8, 8, 8, 8, 8, 8];
    const looks = frozen.map((seconds) => measured({ "4": [camera("ann"), seconds] }));
    expect(told(looks)).toEqual([
      [5, 0.2],
      [10, 0],
    ]);
  });

  it("means all pictures, and neither sound nor empty slots", () => {
    const looks = [0, 0, 1, 2, 2, 2].map((seconds) =>
      measured({
        "1": [{ participant: "ann", source: "microphone" }, 0],
        "4": [camera("ann"), seconds],
        "5": [{ participant: "ben", source: "screen" }, 0],
      }),
    );
    expect(told(looks)).toEqual([[5, 0.2]]);
    expect(told(Array.from({ length: 6 }, () => measured({})))).toEqual([[5, 0]]);
  });

  it("does not count how a slot waited for another track", () => {
    const slot = [camera("ann"), camera("ann"), camera("ben"), camera("ben"), camera("ben"), camera("ben")];
    const frozen = [0, 0, 40, 40, 40, 41];
    const looks = slot.map((track, second) => measured({ "4": [track, frozen[second] ?? 0] }));
    expect(told(looks)).toEqual([[5, 0.25]]);
  });

  it("stays between nothing and all, over a long freeze and a new session", () => {
    const frozen = [9, 9, 9, 9, 9, 21, 21, 0, 0, 0, 0];
    const looks = frozen.map((seconds) => measured({ "4": [camera("ann"), seconds] }));
    expect(told(looks)).toEqual([
      [5, 1],
      [10, 0],
    ]);
  });
});
