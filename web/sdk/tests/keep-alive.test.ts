// Keep-alive: a silent connection is probed, and given up when the probe is not answered.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Signaling } from "../src/call/signaling.ts";

/** Just enough of a WebSocket for virtual time: a real one would need real seconds. */
class SilentSocket {
  static readonly OPEN = 1;
  static readonly all: SilentSocket[] = [];
  readonly sent: string[] = [];
  readyState = 1;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;

  constructor(readonly url: string) {
    SilentSocket.all.push(this);
  }
  send(text: string): void {
    this.sent.push(text);
  }
  close(): void {
    this.readyState = 3;
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", SilentSocket);
  SilentSocket.all.length = 0;
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function connect(): Promise<{ socket: SilentSocket; signaling: Signaling }> {
  const ignore = () => {};
  const signaling = new Signaling({
    origin: "ws://x",
    path: "/ws",
    ticket: async () => "/ws?ticket=t",
    isTransient: () => true,
    isReachable: async () => true,
    random: () => 0,
    handlers: {
      onOpen: ignore,
      onWelcome: ignore,
      onEvent: ignore,
      onMessage: ignore,
      onLost: ignore,
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
  const welcome = { type: "welcome", seq: 1, you: "p", resumeToken: "r", snapshot: {} };
  socket.onmessage?.({ data: JSON.stringify(welcome) });
  return { socket, signaling };
}

it("stays on a connection that answers", async () => {
  const { socket } = await connect();
  vi.advanceTimersByTime(15_000);
  expect(socket.sent).toEqual(["ping"]);
  socket.onmessage?.({ data: "pong" });
  vi.advanceTimersByTime(14_000);
  expect(SilentSocket.all).toHaveLength(1);
});

it("leaves a doubted connection within two seconds, unless it answers", async () => {
  const { socket, signaling } = await connect();
  signaling.probe();
  socket.onmessage?.({ data: "pong" });
  vi.advanceTimersByTime(2_000);
  expect(SilentSocket.all).toHaveLength(1);
  signaling.probe();
  vi.advanceTimersByTime(2_000);
  expect(SilentSocket.all).toHaveLength(2);
});

it("leaves a connection that does not answer, and resumes on another", async () => {
  await connect();
  vi.advanceTimersByTime(20_001);
  expect(SilentSocket.all.map(({ url }) => url)).toEqual([
    "ws://x/ws?ticket=t",
    "ws://x/ws?resume=r&since=1",
  ]);
});
