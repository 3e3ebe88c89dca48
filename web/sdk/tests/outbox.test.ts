// Own lines of chat: stored once each, in their order, and none on its way for good.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Lines, Outbox } from "../src/call/outbox.ts";
import type { ChatMessage, ServerMessage } from "../src/generated/protocol.ts";

let outbox: Outbox;
let lines: Lines;
/** What the room was sent. */
let sent: { nonce: string; text: string; breakout?: number | null }[];
let connected: boolean;
/** The breakout room in which one is. */
let place: number | null;

beforeEach(() => {
  vi.useFakeTimers();
  sent = [];
  lines = [];
  connected = true;
  place = null;
  outbox = new Outbox({
    send: (message) => {
      if (connected && message.type === "chat") sent.push(message);
      return connected;
    },
    place: () => place,
    onChange: (changed) => {
      lines = changed;
    },
  });
});
afterEach(() => {
  outbox.close();
  vi.useRealTimers();
});

const texts = () => sent.map(({ text }) => text);
const waiting = () => lines.filter(({ refused }) => refused === null).map(({ text }) => text);
const last = () => sent.at(-1)?.nonce ?? "";
const error = (fields: object) =>
  ({
    type: "error",
    code: "rateLimited",
    message: "Too fast.",
    nonce: last(),
    of: "chat",
    retryAfterMs: 300,
    ...fields,
  }) as Extract<ServerMessage, { type: "error" }>;

describe("a line", () => {
  it("is on its way until the room has stored it, and the next one waits for that", () => {
    outbox.open([]);
    outbox.say("a");
    outbox.say("b");
    expect(texts()).toEqual(["a"]);
    expect(waiting()).toEqual(["a", "b"]);
    outbox.drop(last());
    expect(texts()).toEqual(["a", "b"]);
    outbox.drop(last());
    expect(lines).toEqual([]);
  });

  it("that comes too soon is sent again when the room says, before those after it", () => {
    outbox.open([]);
    for (const text of ["a", "b"]) outbox.say(text);
    outbox.refused(error({}));
    vi.advanceTimersByTime(299);
    expect(texts()).toEqual(["a"]);
    vi.advanceTimersByTime(1);
    expect(texts()).toEqual(["a", "a"]);
    expect(new Set(sent.map(({ nonce }) => nonce)).size).toBe(1);
    expect(lines.map(({ refused }) => refused)).toEqual([null, null]);
  });

  it("is sent again when a room that says little refuses it", () => {
    outbox.open([]);
    outbox.say("a");
    outbox.refused(error({ nonce: null, of: null, retryAfterMs: null }));
    vi.advanceTimersByTime(1_000);
    expect(texts()).toEqual(["a", "a"]);
  });

  it("that the room never takes is said to be so, and those after it go on", () => {
    outbox.open([]);
    for (const text of ["", "b"]) outbox.say(text);
    outbox.refused(error({ code: "malformed", message: "Say something.", retryAfterMs: null }));
    expect(lines.map(({ refused }) => refused)).toEqual(["Say something.", null]);
    expect(texts()).toEqual(["", "b"]);
  });

  it("whose refusals have no end is given up", () => {
    outbox.open([]);
    outbox.say("a");
    for (let i = 0; i < 6; i += 1) {
      outbox.refused(error({}));
      vi.advanceTimersByTime(300);
    }
    expect(texts()).toEqual(Array(6).fill("a"));
    expect(lines[0]?.refused).toBe("Too fast.");
  });

  it("that the end of the call kept from going stays, and goes again when one likes", () => {
    outbox.open([]);
    outbox.say("a");
    outbox.say("b");
    outbox.stop();
    expect(lines.map(({ text, refused }) => [text, refused !== null])).toEqual([
      ["a", true],
      ["b", true],
    ]);
    outbox.open([]);
    vi.advanceTimersByTime(60_000);
    expect(texts()).toEqual(["a"]);
    outbox.retry(lines[0]?.nonce ?? "");
    expect(texts()).toEqual(["a", "a"]);
  });

  it("that is never answered is sent again, and given up in the end", () => {
    outbox.open([]);
    outbox.say("a");
    vi.advanceTimersByTime(5_001);
    expect(texts()).toEqual(["a", "a"]);
    vi.advanceTimersByTime(120_000);
    expect(texts()).toHaveLength(6);
    expect(lines[0]?.refused).toBe("The room did not answer.");
  });

  it("that did not go is sent again or dropped, as one likes", () => {
    outbox.open([]);
    for (const text of ["a", "b"]) outbox.say(text);
    for (let i = 0; i < 2; i += 1) outbox.refused(error({ retryAfterMs: null }));
    expect(waiting()).toEqual([]);
    outbox.retry(lines[1]?.nonce ?? "");
    expect(texts()).toEqual(["a", "b", "b"]);
    outbox.drop(lines[0]?.nonce ?? "");
    expect(waiting()).toEqual(["b"]);
  });

  it("is not refused by a refusal of something else", () => {
    outbox.open([]);
    outbox.say("a");
    outbox.refused(error({ nonce: null, of: "publishing", retryAfterMs: null }));
    outbox.refused(error({ nonce: "of another line", retryAfterMs: null }));
    expect(waiting()).toEqual(["a"]);
  });
});

describe("after an interruption", () => {
  it("a line is said where it was written, and where one is now when one wants it to be sent again", () => {
    place = 3;
    connected = false;
    outbox.say("among us");
    place = null;
    connected = true;
    outbox.open([]);
    expect(sent[0]?.breakout).toBe(3);
    outbox.refused(error({ code: "elsewhere", message: "Not there any more.", retryAfterMs: null }));
    expect(lines[0]?.refused).toBe("Not there any more.");
    expect(sent).toHaveLength(1);
    outbox.retry(last());
    expect([sent.length, last() === sent[0]?.nonce, sent[1]?.breakout]).toEqual([2, true, null]);
  });

  it("what waited goes out in its order", () => {
    connected = false;
    for (const text of ["a", "b"]) outbox.say(text);
    vi.advanceTimersByTime(600_000);
    expect(waiting()).toEqual(["a", "b"]);
    connected = true;
    outbox.open([]);
    outbox.drop(last());
    expect(texts()).toEqual(["a", "b"]);
  });

  it("a line whose answer was lost is not sent again when the room shows it", () => {
    outbox.open([]);
    for (const text of ["a", "b"]) outbox.say(text);
    const stored = { nonce: last(), text: "a" } as ChatMessage;
    outbox.close();
    outbox.open([stored]);
    expect(texts()).toEqual(["a", "b"]);
    expect(waiting()).toEqual(["b"]);
  });

  it("a line whose answer was lost is sent under the same name when the room does not show it", () => {
    outbox.open([]);
    outbox.say("a");
    outbox.close();
    outbox.open([]);
    expect(new Set(sent.map(({ nonce }) => nonce)).size).toBe(1);
    expect(texts()).toEqual(["a", "a"]);
  });
});
