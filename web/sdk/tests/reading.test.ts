// Read marks: told now and then, at once when one leaves, and taken from one's other devices.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Reading } from "../src/call/reading.ts";
import type { ClientMessage } from "../src/generated/protocol.ts";

let sent: string[];
let isOpen: boolean;
let reading: Reading;

beforeEach(() => {
  vi.useFakeTimers();
  sent = [];
  isOpen = true;
  reading = new Reading((message: ClientMessage) => {
    if (isOpen && message.type === "readChat") sent.push(message.id);
    return isOpen;
  });
});
afterEach(() => vi.useRealTimers());

const wait = (seconds: number) => vi.advanceTimersByTime(seconds * 1_000);

it("tells the last line of several, a second after the first, and then every ten", () => {
  for (const id of ["3", "4", "2", "4"]) reading.upTo(id);
  expect(reading.state.get()).toBe("4");
  expect(sent).toEqual([]);
  wait(1);
  expect(sent).toEqual(["4"]);
  reading.upTo("9");
  reading.upTo("10");
  wait(9);
  expect(sent).toEqual(["4"]);
  wait(1);
  expect(sent).toEqual(["4", "10"]);
  wait(60);
  expect(sent).toHaveLength(2);
});

it("tells at once when one leaves, and nothing that the room knows", () => {
  reading.upTo("3");
  reading.flush();
  reading.flush();
  expect(sent).toEqual(["3"]);
  reading.upTo("5");
  reading.receive({ type: "chatRead", id: "7" });
  expect(reading.state.get()).toBe("7");
  wait(60);
  reading.receive({ type: "chatRead", id: "6" });
  expect([reading.state.get(), sent]).toEqual(["7", ["3"]]);
});

it("tells again after a lost connection, and with the next line after a refusal", () => {
  reading.upTo("3");
  isOpen = false;
  wait(1);
  isOpen = true;
  reading.welcome();
  wait(1);
  expect(sent).toEqual(["3"]);
  reading.refused({
    type: "error",
    code: "rateLimited",
    message: "",
    nonce: null,
    of: "readChat",
    retryAfterMs: 1_000,
  });
  reading.upTo("4");
  wait(10);
  expect(sent).toEqual(["3", "4"]);
  reading.end();
  expect(reading.state.get()).toBeNull();
});
