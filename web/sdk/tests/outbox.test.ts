// The outbox: lines of chat on their way, refused, and come back as events.
import { describe, expect, it } from "vitest";
import { afterEcho, afterMessage, withLine } from "../src/call/outbox.ts";

describe("the outbox", () => {
  it("keeps a line until it is stored, and says why one was refused", () => {
    const outbox = withLine(withLine([], "1", "a"), "2", "b");
    expect(afterMessage(outbox, { type: "chatAccepted", nonce: "1", id: "x" })).toHaveLength(1);
    const error = {
      type: "error",
      code: "rateLimited",
      message: "Too fast.",
      nonce: "2",
      of: "chat",
      retryAfterMs: null,
    } as const;
    expect(afterMessage(outbox, error)[1]?.refused).toBe("Too fast.");
  });
});

describe("a line that comes back as an event", () => {
  it("leaves the outbox once, and not when it was refused", () => {
    const outbox = withLine(withLine([], "1", "a"), "2", "a");
    const once = afterEcho(outbox, "a");
    expect(once.map(({ nonce }) => nonce)).toEqual(["2"]);
    expect(afterEcho(once, "b")).toBe(once);
    const error = {
      type: "error",
      code: "rateLimited",
      message: "Too fast.",
      nonce: "2",
      of: "chat",
      retryAfterMs: null,
    } as const;
    expect(afterEcho(afterMessage(once, error), "a")).toHaveLength(1);
  });
});
