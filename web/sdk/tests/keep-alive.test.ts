// Keep-alive: pings at a steady pace whatever else is said, a connection given up when nothing comes, and when to dial again.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Signaling } from "../src/call/signaling.ts";

/** How a browser says that a connection is gone without a word (RFC 6455, 7.1.5). */
const LOST = 1006;

/** Just enough of a WebSocket for virtual time: a real one would need real seconds. */
class SilentSocket {
  static readonly OPEN = 1;
  static readonly all: SilentSocket[] = [];
  readonly sent: string[] = [];
  readyState = 1;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;

  constructor(readonly url: string) {
    SilentSocket.all.push(this);
  }
  send(text: string): void {
    this.sent.push(text);
  }
  close(): void {
    this.readyState = 3;
  }
  hears(message: object | string): void {
    this.onmessage?.({ data: typeof message === "string" ? message : JSON.stringify(message) });
  }
}

let pauses: number[];

beforeEach(() => {
  pauses = [];
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", SilentSocket);
  SilentSocket.all.length = 0;
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function connect(random = 0, redialWithinMs = 250) {
  const ignore = () => {};
  const signaling = new Signaling({
    origin: "ws://x",
    path: "/ws",
    ticket: async () => "/ws?ticket=t",
    retryAfter: () => 0,
    isReachable: async () => true,
    random: () => random,
    handlers: {
      onOpen: ignore,
      onWelcome: ignore,
      onWaiting: ignore,
      onEvent: ignore,
      onMessage: ignore,
      onLost: (pause) => pauses.push(pause),
      onClosed: ignore,
      onFailed: ignore,
    },
  });
  signaling.start();
  // The ticket comes first.
  await vi.advanceTimersByTimeAsync(0);
  const [socket] = SilentSocket.all;
  if (socket === undefined) throw new Error("no connection was made");
  socket.onopen?.();
  socket.hears({ type: "welcome", seq: 1, you: "p", resumeToken: "r", redialWithinMs, snapshot: {} });
  return { socket, signaling };
}

const NEWS = { type: "checkMedia", attempt: 1 };

it("pings every five seconds, however much is said besides", async () => {
  const { socket } = await connect();
  for (let second = 1; second <= 20; second += 1) {
    vi.advanceTimersByTime(1_000);
    socket.hears(NEWS);
  }
  expect(socket.sent).toEqual(Array(5).fill("ping"));
  expect(SilentSocket.all).toHaveLength(1);
});

it("stays on a connection on which anything comes after each ping", async () => {
  const { socket } = await connect();
  for (const answer of ["pong", NEWS, "pong"]) {
    vi.advanceTimersByTime(4_000);
    socket.hears(answer);
  }
  expect(SilentSocket.all).toHaveLength(1);
});

it("leaves a doubted connection within two seconds, unless it answers", async () => {
  const { socket, signaling } = await connect();
  signaling.probe();
  socket.hears("pong");
  vi.advanceTimersByTime(2_000);
  expect(SilentSocket.all).toHaveLength(1);
  signaling.probe();
  vi.advanceTimersByTime(2_000);
  expect(SilentSocket.all).toHaveLength(2);
});

it("leaves a connection that does not answer, and resumes on another", async () => {
  await connect();
  vi.advanceTimersByTime(5_001);
  expect(SilentSocket.all.map(({ url }) => url)).toEqual([
    "ws://x/ws?ticket=t",
    "ws://x/ws?resume=r&since=1",
  ]);
});

it("pings at what comes while the browser slows timers down", async () => {
  const { socket } = await connect();
  socket.hears("pong");
  // The clock goes on while no timer runs.
  const start = performance.now();
  const clock = vi.spyOn(performance, "now");
  for (const second of [4, 9, 11, 12, 22, 23]) {
    clock.mockImplementation(() => start + second * 1_000);
    socket.hears(NEWS);
  }
  expect(socket.sent).toEqual(["ping", "ping", "ping"]);
  vi.restoreAllMocks();
});

it("gives a page that has slept a second to read what came meanwhile", async () => {
  const { socket } = await connect();
  // The clock goes on while no timer runs.
  const now = performance.now();
  vi.spyOn(performance, "now").mockImplementation(() => now + 60_000);
  vi.advanceTimersByTime(5_000);
  expect(SilentSocket.all).toHaveLength(1);
  socket.hears("pong");
  vi.advanceTimersByTime(2_000);
  expect(SilentSocket.all).toHaveLength(1);
  vi.restoreAllMocks();
});

it("spreads the first redial over the time that the room can take", async () => {
  const { socket } = await connect(0.5, 8_000);
  socket.onclose?.({ code: LOST });
  vi.advanceTimersByTime(3_999);
  expect(SilentSocket.all).toHaveLength(1);
  vi.advanceTimersByTime(1);
  expect(SilentSocket.all).toHaveLength(2);
});

it("does not dial before a pause is over that the room has asked for, whatever the network does", async () => {
  const { socket, signaling } = await connect();
  socket.hears({ type: "wait", ms: 30_000 });
  socket.onclose?.({ code: LOST });
  expect(pauses).toEqual([30_000]);
  vi.advanceTimersByTime(29_999);
  signaling.retryNow();
  expect(SilentSocket.all).toHaveLength(1);
  vi.advanceTimersByTime(1);
  expect(SilentSocket.all).toHaveLength(2);
});

it("does not ask for a ticket again before it is told to", async () => {
  let asked = 0;
  const signaling = new Signaling({
    origin: "ws://x",
    path: "/ws",
    ticket: () => {
      asked += 1;
      return Promise.reject(new Error("too often"));
    },
    retryAfter: () => 7_000,
    isReachable: async () => true,
    random: () => 0,
    handlers: {
      onOpen: () => {},
      onWelcome: () => {},
      onWaiting: () => {},
      onEvent: () => {},
      onMessage: () => {},
      onLost: (pause) => pauses.push(pause),
      onClosed: () => {},
      onFailed: () => {},
    },
  });
  signaling.start();
  await vi.advanceTimersByTimeAsync(6_999);
  expect(asked).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(asked).toBe(2);
  signaling.end();
});
