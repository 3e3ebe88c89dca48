// The room has lost its node: the client knows whether media has, too.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { MediaSession } from "../src/call/media-session.ts";
import type { ClientMessage } from "../src/generated/protocol.ts";
import { Connection, stubConnection, stubPlaying } from "./fake-connection.ts";
import { quietSession } from "./quiet-session.ts";

let sent: ClientMessage[];
let media: MediaSession;

beforeEach(async () => {
  vi.useFakeTimers();
  stubConnection();
  stubPlaying();
  ({ media, sent } = quietSession());
  await media.offer();
  await media.answer(1, "v=0");
  Connection.newest.becomes("connected");
  sent.length = 0;
});
afterEach(() => {
  media.end();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** So much has come until now; half a second of looks has seen it. */
const came = async (bytesReceived: number) => {
  const currentRoundTripTime = Connection.newest.roundTripTime;
  Connection.newest.traffic = { type: "candidate-pair", bytesSent: 500, bytesReceived, currentRoundTripTime };
  await vi.advanceTimersByTimeAsync(500);
};

it("says so when media that came until now has stopped", async () => {
  await came(1_000);
  await came(2_000);
  const checked = media.check(1);
  await vi.advanceTimersByTimeAsync(250);
  await checked;
  expect(sent).toEqual([{ type: "noMedia", attempt: 1 }]);
});

it("says nothing when a node with nothing to send answers what it is asked", async () => {
  await came(1_000);
  await came(2_000);
  const { channel } = Connection.newest;
  channel.readyState = "open";
  const { said } = channel;
  said.length = 0;
  const checked = media.check(1);
  await vi.advanceTimersByTimeAsync(100);
  // SCTP acknowledges each second packet at once, and one alone in its own time.
  if (said.length >= 2) await came(2_080);
  await vi.advanceTimersByTimeAsync(250);
  await checked;
  expect(sent).toEqual([]);
});

it("waits for as long as an answer from afar takes", async () => {
  await came(1_000);
  await came(2_000);
  Connection.newest.roundTripTime = 0.3;
  await came(2_500);
  const checked = media.check(1);
  await vi.advanceTimersByTimeAsync(340);
  await came(2_580);
  await checked;
  expect(sent).toEqual([]);
});

it("says nothing while media comes, or where none came before", async () => {
  const nothing = media.check(1);
  await vi.advanceTimersByTimeAsync(250);
  await nothing;
  await came(1_000);
  const checked = media.check(1);
  await vi.advanceTimersByTimeAsync(0);
  await came(1_100);
  await checked;
  expect(sent).toEqual([]);
});

it("says nothing of an attempt that is over", async () => {
  await came(1_000);
  const checked = media.check(1);
  await vi.advanceTimersByTimeAsync(0);
  await media.restart();
  await vi.advanceTimersByTimeAsync(250);
  await checked;
  expect(sent.map(({ type }) => type)).toEqual(["offer"]);
});
