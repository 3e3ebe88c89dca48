// What one asks of the room and does not get is said; what is not stored of the chat when one could not come back waits.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Api } from "../src/api.ts";
import { Call } from "../src/call/call.ts";
import type { ClientMessage, ServerMessage } from "../src/generated/protocol.ts";
import { ApiError } from "../src/problem.ts";
import { eventually } from "./eventually.ts";
import { stubConnection } from "./fake-connection.ts";

/** How a browser says that a connection is gone without a word (RFC 6455, 7.1.5). */
const LOST = 1006;

/** The room's end of a socket, as far as entering needs it. */
class Socket {
  static readonly OPEN = 1;
  static newest: Socket;
  readonly heard: ClientMessage[] = [];
  readyState = 0;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  constructor() {
    Socket.newest = this;
    queueMicrotask(() => {
      this.readyState = 1;
      this.onopen?.();
    });
  }
  send(text: string): void {
    if (text !== "ping") this.heard.push(JSON.parse(text));
  }
  close(): void {
    this.readyState = 3;
  }
  receive(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message satisfies object as ServerMessage) });
  }
}

const caps = { audio: true, video: true, screen: true, captions: true, maxLayer: null, maxBitrate: null };
const publishing = { microphone: false, camera: false, screen: false, codec: null };
const person = (id: string, user: string) => ({ id, user, caps, publishing, decodes: [] });
const PEOPLE = [person("you", "u1"), person("tab", "u1"), person("ann", "u2")];
const SNAPSHOT = { room: { id: "r", name: "Room" }, participants: PEOPLE, chat: [] };
const welcome = {
  type: "welcome",
  seq: 1,
  you: "you",
  resumeToken: "t",
  redialWithinMs: 250,
  snapshot: SNAPSHOT,
};

let call: Call;
/** How a ticket is refused; null for not at all. */
let refused: ApiError | null;

beforeEach(async () => {
  refused = null;
  stubConnection();
  vi.stubGlobal("WebSocket", Socket);
  vi.stubGlobal("location", { origin: "http://x" });
  vi.stubGlobal("document", Object.assign(new EventTarget(), { visibilityState: "visible" }));
  const api = {
    origin: "",
    joined: async () => {},
    join: async () => {
      if (refused !== null) throw refused;
      return {
        room: SNAPSHOT.room,
        participant: "you",
        ticket: "t",
        url: "/ws?ticket=t",
        iceServers: [],
        iceExpiresIn: 7_200,
      };
    },
    iceServers: async () => [],
    isReachable: async () => true,
  };
  call = new Call(api as unknown as Api, "r");
  call.join();
  await eventually(() => expect(Socket.newest?.readyState).toBe(1));
  Socket.newest.receive(welcome);
});
afterEach(() => {
  call.dispose();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const refuse = (of: string) =>
  Socket.newest.receive({
    type: "error",
    code: "forbidden",
    message: "only the owner may do that",
    nonce: null,
    of,
    retryAfterMs: null,
  });

it("is said of what the owner does, and of moving the call", () => {
  const asks: [string, () => void][] = [
    ["setCaps", () => call.moderation.setCaps("ann", { audio: false })],
    ["askToUnmute", () => call.moderation.askToUnmute("ann")],
    ["remove", () => call.moderation.remove("ann")],
    ["moveHere", () => call.moveHere()],
  ];
  for (const [of, ask] of asks) {
    ask();
    refuse(of);
    expect(call.state.get().refusal).toBe("only the owner may do that");
    call.dismissRefusal();
    expect(call.state.get().refusal).toBeNull();
  }
});

it("is not said before it was asked for again, when the connection was lost", () => {
  call.moderation.remove("ann");
  Socket.newest.receive(welcome);
  expect(Socket.newest.heard.filter(({ type }) => type === "remove")).toHaveLength(2);
  expect(call.state.get().refusal).toBeNull();
});

it("is not said of what is told again without a word", () => {
  refuse("publishing");
  expect(call.state.get().refusal).toBeNull();
});

it("is said where nothing can be asked for", () => {
  Socket.newest.readyState = 3;
  call.moderation.remove("ann");
  expect(call.state.get().refusal).toContain("not connected");
});

it("leaves what one wrote to wait, when one could not come back", async () => {
  vi.useFakeTimers();
  call.chat.say("on its way");
  refused = new ApiError({ type: "x", title: "Gone", status: 403, detail: "Not now." });
  for (let tries = 0; tries < 5; tries += 1) {
    Socket.newest.onclose?.({ code: LOST });
    await vi.advanceTimersByTimeAsync(5_000);
  }
  expect(call.state.get().status.name).toBe("failed");
  expect(call.state.get().outbox.map(({ text }) => text)).toEqual(["on its way"]);
  refused = null;
  call.join();
  await vi.advanceTimersByTimeAsync(100);
  Socket.newest.receive(welcome);
  expect(Socket.newest.heard.filter(({ type }) => type === "chat")).toHaveLength(1);
});

it.each(["moved", "replaced", "removed", "roomDeleted"])(
  "loses no line of one whose call has ended: %s",
  (reason) => {
    call.chat.say("on its way");
    Socket.newest.receive({ type: "closed", reason });
    expect(call.state.get().status).toEqual({ name: "ended", reason });
    expect(call.state.get().outbox).toMatchObject([{ text: "on its way", refused: expect.any(String) }]);
  },
);

it("leaves nothing to wait once one has left", async () => {
  call.chat.say("on its way");
  call.leave();
  expect(call.state.get().outbox).toEqual([]);
  const before = Socket.newest;
  call.join();
  await eventually(() => expect(Socket.newest).not.toBe(before));
  Socket.newest.receive(welcome);
  expect(Socket.newest.heard.filter(({ type }) => type === "chat")).toEqual([]);
});
