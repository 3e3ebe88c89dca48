// A network that lets no media through: it is said soon, tried on with growing pauses, and over as soon as something comes.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { MediaSession, MediaStatus } from "../src/call/media-session.ts";
import type { ClientMessage } from "../src/generated/protocol.ts";
import { Connection, stubConnection, stubPlaying } from "./fake-connection.ts";
import { quietSession } from "./quiet-session.ts";

const ANSWER =
  "a=candidate:1 1 udp 1 10.77.0.1 40000 typ host\r\na=candidate:2 1 tcp 1 10.77.0.1 40000 typ host\r\n";

let sent: ClientMessage[];
let statuses: MediaStatus[];
let media: MediaSession;

beforeEach(async () => {
  vi.useFakeTimers();
  stubConnection();
  stubPlaying();
  statuses = [];
  ({ media, sent } = quietSession({ onStatus: (status) => statuses.push(status) }));
  media.useServers([]);
  await media.offer();
  await media.answer(1, ANSWER);
});
afterEach(() => {
  media.end();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const names = () => statuses.map(({ name }) => name);
const offers = () => sent.filter(({ type }) => type === "offer").length;

/** The newest attempt is answered, and finds no way. */
async function fail() {
  await media.answer(offers(), ANSWER);
  Connection.newest.becomes("failed");
  await vi.advanceTimersByTimeAsync(0);
}

it("is said within ten seconds, with what was tried, while it is tried on", async () => {
  expect(names()).toEqual(["connecting"]);
  await vi.advanceTimersByTimeAsync(7_000);
  expect(statuses.at(-1)).toEqual({
    name: "blocked",
    tried: [
      { way: "udp", outcome: "unanswered" },
      { way: "tcp", outcome: "unanswered" },
      { way: "turn", outcome: "none" },
    ],
  });
  expect(Connection.count).toBe(1);
  Connection.newest.becomes("connected");
  expect(names().at(-1)).toBe("connected");
});

it("is not said of a connection that comes about", async () => {
  Connection.newest.becomes("connected");
  await vi.advanceTimersByTimeAsync(60_000);
  expect(names()).toEqual(["connecting", "connected"]);
});

it("is tried on after ever longer pauses, whatever the room asks for", async () => {
  const pauses: number[] = [];
  for (let attempt = 1; attempt <= 6; attempt += 1) {
    await fail();
    const from = Date.now();
    // The room's answer to the report: the first time it is heeded.
    if (attempt > 1) await media.renegotiate(attempt);
    while (offers() === attempt) await vi.advanceTimersByTimeAsync(1_000);
    pauses.push((Date.now() - from) / 1_000);
  }
  expect(pauses).toEqual([5, 10, 20, 40, 60, 60]);
  // Nothing on the page flickers meanwhile.
  expect(new Set(names().slice(1))).toEqual(new Set(["blocked"]));
});

it("is tried at once after the first failure, when the room has another node", async () => {
  await fail();
  await media.renegotiate(1);
  expect(offers()).toBe(2);
});

it("is tried at once, and with short pauses again, when somebody asks for it", async () => {
  for (let attempt = 1; attempt <= 3; attempt += 1) {
    await fail();
    await vi.advanceTimersByTimeAsync(60_000);
  }
  await fail();
  const before = offers();
  await media.retry();
  expect(offers()).toBe(before + 1);
  expect(names().at(-1)).toBe("connecting");
  await fail();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(offers()).toBe(before + 2);
});

it("says that it was connected before, when it was", async () => {
  Connection.newest.becomes("connected");
  Connection.newest.becomes("failed");
  await vi.advanceTimersByTimeAsync(0);
  expect(names().at(-1)).toBe("reconnecting");
  await fail();
  expect(names().at(-1)).toBe("blocked");
  await media.retry();
  expect(names().at(-1)).toBe("reconnecting");
});
