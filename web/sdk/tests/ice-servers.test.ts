// Credentials for TURN: renewed before they end, for as long as the call goes on.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { IceServerSource } from "../src/call/ice-servers.ts";
import { Identity } from "../src/call/identity.ts";
import type { Entrance } from "../src/entrance.ts";
import type { IceServer } from "../src/generated/protocol.ts";

const HOUR = 3_600_000;
let asked: (string | null | undefined)[];
let used: (string | undefined)[];
let fails: boolean;
let source: IceServerSource;
const server = (username: string): IceServer => ({ urls: ["turn:t.example"], username, credential: "c" });

beforeEach(() => {
  vi.useFakeTimers();
  [asked, used, fails] = [[], [], false];
  const entrance = {
    iceServers: async (room?: string | null) => {
      asked.push(room);
      if (fails) throw new Error("away");
      return { iceServers: [server(`n${asked.length}`)], expiresIn: 7_200, probes: {} };
    },
  };
  source = new IceServerSource(new Identity(entrance as unknown as Entrance), "r", {
    use: (servers) => used.push(servers[0]?.username),
    measure: () => {},
  });
});
afterEach(() => {
  source.end();
  vi.useRealTimers();
});

it("asks once ahead of a join, for the room, and takes what comes with the join", async () => {
  await source.refresh();
  await source.refresh();
  expect(asked).toEqual(["r"]);
  source.take([server("join")], 7_200);
  expect(used).toEqual(["n1", "join"]);
});

it("renews them in a call before they end, again and again", async () => {
  source.take([server("join")], 7_200);
  await vi.advanceTimersByTimeAsync(1.8 * HOUR);
  expect(used).toEqual(["join"]);
  await vi.advanceTimersByTimeAsync(0.1 * HOUR);
  expect(used).toEqual(["join", "n1"]);
  await vi.advanceTimersByTimeAsync(2 * HOUR);
  expect(used).toEqual(["join", "n1", "n2"]);
  source.end();
  await vi.advanceTimersByTimeAsync(4 * HOUR);
  expect(asked).toHaveLength(2);
});

it("asks again soon where nobody answers", async () => {
  source.take([server("join")], 7_200);
  fails = true;
  await vi.advanceTimersByTimeAsync(1.84 * HOUR);
  fails = false;
  const failed = asked.length;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(asked).toHaveLength(failed + 1);
  expect(used).toHaveLength(2);
});
