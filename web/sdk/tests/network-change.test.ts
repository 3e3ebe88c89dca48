// Another network: the same session by a new path, and a new session where there is none.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { MediaSession } from "../src/call/media-session.ts";
import type { ClientMessage } from "../src/generated/protocol.ts";
import { Connection, stubConnection, stubPlaying } from "./fake-connection.ts";
import { quietSession } from "./quiet-session.ts";

let sent: ClientMessage[];
let statuses: string[];
let media: MediaSession;

beforeEach(async () => {
  vi.useFakeTimers();
  stubConnection();
  stubPlaying();
  statuses = [];
  ({ media, sent } = quietSession({ onStatus: ({ name }) => statuses.push(name) }));
  await media.offer();
  await media.answer(1, "a=ice-ufrag:one\r\na=ice-pwd:1\r\n");
  Connection.newest.becomes("connected");
  sent.length = 0;
});
afterEach(() => {
  media.end();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const types = () => sent.map(({ type }) => type);

it("keeps the session: the node's new credentials go into its old answer", async () => {
  const { newest } = Connection;
  newest.becomes("disconnected");
  await vi.advanceTimersByTimeAsync(0);
  expect(sent).toEqual([{ type: "restartIce", attempt: 1, sdp: "v=0 restart 1" }]);
  await media.iceRestarted(1, { ufrag: "two", pwd: "2" });
  expect(newest.answers.at(-1)).toBe("a=ice-ufrag:two\r\na=ice-pwd:2\r\n");
  newest.becomes("connected");
  await vi.advanceTimersByTimeAsync(10_000);
  expect(types()).toEqual(["restartIce"]);
  expect(statuses.slice(-2)).toEqual(["reconnecting", "connected"]);
});

it("asks once, and again when the signaling comes back", async () => {
  Connection.newest.becomes("disconnected");
  Connection.newest.becomes("disconnected");
  await vi.advanceTimersByTimeAsync(0);
  expect(types()).toEqual(["restartIce"]);
  await media.resume();
  expect(sent).toEqual([
    { type: "restartIce", attempt: 1, sdp: "v=0 restart 1" },
    { type: "restartIce", attempt: 1, sdp: "v=0 restart 1" },
  ]);
});

it("offers a new session when no path is found in time", async () => {
  Connection.newest.becomes("disconnected");
  await vi.advanceTimersByTimeAsync(2_000);
  expect(types()).toEqual(["restartIce", "mediaFailed", "offer"]);
  expect(sent.at(-1)).toMatchObject({ attempt: 2 });
});

it("offers a new session at once when this one is over", async () => {
  Connection.newest.becomes("failed");
  await vi.advanceTimersByTimeAsync(0);
  expect(types()).toEqual(["mediaFailed", "offer"]);
});

it("takes no credentials of another attempt", async () => {
  Connection.newest.becomes("disconnected");
  await vi.advanceTimersByTimeAsync(0);
  await media.iceRestarted(7, { ufrag: "x", pwd: "x" });
  expect(Connection.newest.answers).toHaveLength(1);
});
