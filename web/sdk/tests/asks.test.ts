// What one asks of the room: kept until it is seen to be done, asked again after a loss, and never dropped without a word.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type Ask, Asks } from "../src/call/asks.ts";
import type { Caps, ErrorCode, Participant } from "../src/generated/protocol.ts";

const caps: Caps = { audio: true, video: true, screen: true, maxLayer: null, maxBitrate: null };
const mute: Ask = { type: "setCaps", participant: "ann", caps: { ...caps, audio: false } };
const remove: Ask = { type: "remove", participant: "ann" };
const move: Ask = { type: "moveHere" };
const person = (id: string, user: string, own = caps) => ({ id, user, caps: own }) as Participant;
const [me, tab, ann] = [person("me", "u1"), person("tab", "u1"), person("ann", "u2")];
const muted = person("ann", "u2", { ...caps, audio: false });

let connected: boolean;
let sent: Ask[];
let said: (string | null)[];
let asks: Asks;

beforeEach(() => {
  vi.useFakeTimers();
  [connected, sent, said] = [true, [], []];
  asks = new Asks({
    send: (ask) => connected && sent.push(ask) > 0,
    onRefused: (why) => said.push(why),
    onMoved: () => said.push("moved"),
  });
});
afterEach(() => vi.useRealTimers());

const refuse = (of: string) =>
  asks.refused({
    type: "error",
    code: "forbidden" as ErrorCode,
    message: "no",
    nonce: null,
    of,
    retryAfterMs: null,
  });

it.each<[Ask, Participant[], Participant[]]>([
  [mute, [me, ann], [me, muted]],
  [mute, [me, ann], [me]],
  [remove, [me, ann], [me]],
  [move, [me, tab, ann], [me, ann]],
])("is asked again after a loss until it is done: %o", (ask, before, after) => {
  asks.ask(ask);
  asks.look(before, "me");
  asks.again();
  expect(sent).toEqual([ask, ask]);
  asks.look(after, "me");
  asks.again();
  vi.advanceTimersByTime(60_000);
  expect(sent).toEqual([ask, ask]);
  expect(said).toEqual(ask === move ? [null, "moved"] : [null]);
  // It was done, and is asked for the second time in vain.
  refuse(ask.type);
  expect(said).not.toContain("no");
});

it("is given up with a word when the room does not answer", () => {
  asks.ask(remove);
  asks.look([me, ann], "me");
  vi.advanceTimersByTime(15_000);
  asks.again();
  expect([sent, said]).toEqual([[remove], [null, "the room did not answer"]]);
});

it("is the last of two that contradict each other", () => {
  const unmute = { ...mute, caps };
  asks.ask(mute);
  asks.ask(unmute);
  asks.look([me, muted], "me");
  asks.again();
  expect(sent).toEqual([mute, unmute, unmute]);
});

it.each<[string, () => void]>([
  ["refused", () => refuse("moveHere")],
  ["too late", () => vi.advanceTimersByTime(15_000)],
  ["not wanted any more", () => asks.clear()],
])("moves nothing once it is %s", (_, end) => {
  asks.ask(move);
  end();
  asks.look([me], "me");
  expect(said).not.toContain("moved");
});

it("moves nothing that could not be asked for", () => {
  connected = false;
  asks.ask(move);
  asks.look([me], "me");
  expect(said).toEqual(["you are not connected right now"]);
});
