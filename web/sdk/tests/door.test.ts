// The door: what is told of it, what is asked at it, and that a refusal is in words.
import { beforeEach, expect, it } from "vitest";
import { Door } from "../src/call/door.ts";
import type { ClientMessage, ErrorCode } from "../src/generated/protocol.ts";

let sent: ClientMessage[];
let said: (string | null)[];
let connected: boolean;
let door: Door;

beforeEach(() => {
  [sent, said, connected] = [[], [], true];
  door = new Door({
    send: (message) => connected && sent.push(message) > 0,
    ask: (ask) => sent.push(ask),
    onRefused: (why) => said.push(why),
  });
});

it("shows who waits and who stays out, until one is in the room no more", () => {
  const gil = { participant: "p", name: "Gil", guest: true, since: 1 };
  door.receive({ type: "knocking", people: [gil] });
  door.receive({ type: "banned", people: [{ user: "u", name: "Ben" }] });
  expect(door.state.get()).toEqual({ knocking: [gil], banned: [{ user: "u", name: "Ben" }] });
  door.receive({ type: "knocking", people: [] });
  expect(door.state.get().knocking).toEqual([]);
  door.end();
  expect(door.state.get()).toEqual({ knocking: [], banned: [] });
});

it("asks for one or for all", () => {
  door.admit("p");
  door.refuse();
  door.ban("p");
  door.unban("u");
  door.setPassword(null);
  expect(sent).toEqual([
    { type: "admit", participant: "p" },
    { type: "refuse", participant: null },
    { type: "ban", participant: "p" },
    { type: "unban", user: "u" },
    { type: "setPassword", password: null },
  ]);
});

it("says why something is not done", () => {
  const error = {
    type: "error",
    code: "forbidden" as ErrorCode,
    message: "full",
    nonce: null,
    retryAfterMs: null,
  };
  door.refused({ ...error, type: "error", of: "admit" });
  door.refused({ ...error, type: "error", of: "chat" });
  connected = false;
  door.admit();
  expect(said).toEqual(["full", "you are not connected right now"]);
});
