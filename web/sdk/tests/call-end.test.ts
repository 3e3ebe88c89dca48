// However a call ends, its devices are released at once; and who comes back has them as before.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Api } from "../src/api.ts";
import { Call } from "../src/call/call.ts";
import type { CloseReason, Participant, ServerMessage } from "../src/generated/protocol.ts";
import { DEFAULT_SETTINGS } from "../src/generated/protocol.ts";
import { ApiError } from "../src/problem.ts";
import { eventually } from "./eventually.ts";
import { stubConnection } from "./fake-connection.ts";
import { FakeDevices } from "./fake-devices.ts";

/** How a browser says that a connection is gone without a word (RFC 6455, 7.1.5). */
const LOST = 1006;

/** The room's end of a socket, as far as entering needs it. */
class Socket {
  static readonly OPEN = 1;
  static newest: Socket;
  readyState = 1;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  constructor() {
    Socket.newest = this;
    queueMicrotask(() => this.onopen?.());
  }
  send(): void {}
  close(): void {
    this.readyState = 3;
  }
  receive(message: ServerMessage): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
}

const ROOM = { id: "r", name: "Room", owner: "u", createdAt: 0, people: 1 };
const you: Participant = {
  id: "you",
  user: "u",
  name: "Ann",
  role: "speaker",
  guest: false,
  publishing: { microphone: false, camera: false, screen: false, codec: null },
  caps: { audio: true, video: true, screen: true, captions: true, maxLayer: null, maxBitrate: null },
  region: null,
  connection: "connected",
  decodes: [],
  joinedAt: 0,
};

let devices: FakeDevices;
let page: EventTarget;
let call: Call;
/** What the next request for a ticket is answered with. */
let refuse: ApiError | null;

beforeEach(async () => {
  refuse = null;
  devices = new FakeDevices();
  page = new EventTarget();
  stubConnection();
  vi.stubGlobal("WebSocket", Socket);
  vi.stubGlobal("MediaStream", class {});
  vi.stubGlobal("navigator", { mediaDevices: devices.media });
  vi.stubGlobal("document", Object.assign(new EventTarget(), { visibilityState: "visible" }));
  vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
  vi.stubGlobal("removeEventListener", page.removeEventListener.bind(page));
  const api = {
    origin: "http://connect.example",
    joined: async () => {},
    join: async () => {
      if (refuse !== null) throw refuse;
      return { room: ROOM, participant: "you", ticket: "t", url: "/ws", iceServers: [], iceExpiresIn: 7_200 };
    },
    iceServers: async () => [],
    isReachable: async () => true,
  };
  call = new Call(api as unknown as Api, "r");
  await call.local.acquire();
});
afterEach(() => {
  call.dispose();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const status = () => call.state.get().status;
const live = () => devices.opened.filter(({ readyState }) => readyState === "live").map(({ kind }) => kind);

async function enter(): Promise<void> {
  const before = Socket.newest;
  call.join();
  await eventually(() => expect(Socket.newest).not.toBe(before));
  welcome([you]);
}

/** The room greets this client as the first of these people. */
function welcome(participants: Participant[]): void {
  Socket.newest.receive({
    type: "welcome",
    protocol: 1,
    seq: 0,
    you: participants[0]?.id,
    resumeToken: "t",
    redialWithinMs: 0,
    snapshot: {
      settings: DEFAULT_SETTINGS,
      room: ROOM,
      participants,
      chat: [],
      polls: [],
      hands: [],
      spotlight: [],
      wishes: [],
      breakouts: null,
      now: 0,
    },
  } as ServerMessage);
  expect(status().name).toBe("joined");
}

describe("the devices of a call", () => {
  it.each<[string, () => unknown]>([
    ["is left", () => call.leave()],
    ...(["removed", "roomDeleted", "replaced", "moved"] satisfies CloseReason[]).map(
      (reason): [string, () => void] => [reason, () => Socket.newest.receive({ type: "closed", reason })],
    ),
    ["has its page closed", () => page.dispatchEvent(new Event("pagehide"))],
    ["is disposed of", () => call.dispose()],
  ])("are released at once when it %s", async (_, end) => {
    await enter();
    expect(live()).toEqual(["audio", "video"]);
    end();
    expect(live()).toEqual([]);
  });

  it("are released when there is no way back into it", async () => {
    await enter();
    refuse = new ApiError({ status: 403, title: "no", detail: "no" } as never);
    vi.useFakeTimers();
    // Neither this socket nor a resumption works any more.
    while (status().name !== "failed") {
      Socket.newest.onclose?.({ code: LOST });
      await vi.advanceTimersByTimeAsync(5_000);
    }
    expect(live()).toEqual([]);
  });

  it("stay as they are for who could not enter, and is still before the call", async () => {
    refuse = new ApiError({ status: 403, title: "no", detail: "no" } as never);
    call.join();
    await eventually(() => expect(status().name).toBe("failed"));
    expect(live()).toEqual(["audio", "video"]);
  });

  it("are there again, as they were wished for, when it is joined again", async () => {
    await enter();
    await call.local.turn("camera", false);
    call.leave();
    await enter();
    await eventually(() => expect(live()).toEqual(["audio"]));
    expect(call.local.state.get().microphone.on).toBe(true);
  });

  it("are there again when the browser brings the page before the call back", async () => {
    page.dispatchEvent(new Event("pagehide"));
    expect(live()).toEqual([]);
    page.dispatchEvent(new Event("pageshow"));
    await eventually(() => expect(live()).toEqual(["audio", "video"]));
  });

  it("stay released while a page that needs none is brought back", async () => {
    call.local.release();
    page.dispatchEvent(new Event("pagehide"));
    page.dispatchEvent(new Event("pageshow"));
    await new Promise((done) => setTimeout(done));
    expect(live()).toEqual([]);
  });

  it("stay released while the page of an ended call is brought back", async () => {
    await enter();
    page.dispatchEvent(new Event("pagehide"));
    page.dispatchEvent(new Event("pageshow"));
    await new Promise((done) => setTimeout(done));
    expect(live()).toEqual([]);
  });
});

describe("the microphone of who comes back as somebody new", () => {
  const again = { ...you, id: "again" };
  const phone = { ...you, id: "phone" };

  it("is off when one has joined elsewhere meanwhile, until the call moves here", async () => {
    await enter();
    welcome([again, phone]);
    expect(call.local.state.get().microphone.wanted).toBe(false);
    expect(call.state.get().quiet).toBe(true);
    call.moveHere();
    Socket.newest.receive({
      type: "event",
      seq: 1,
      event: { type: "left", participant: "phone", reason: "moved" },
    });
    expect(call.local.state.get().microphone.wanted).toBe(true);
    expect(call.state.get().quiet).toBe(false);
  });

  it("is on when the other one has left meanwhile, as a later word on the room tells", async () => {
    await enter();
    welcome([again, phone]);
    call.moveHere();
    welcome([again]);
    expect(call.local.state.get().microphone.wanted).toBe(true);
  });

  it("stays as it was for who is alone, and for who was here all the time", async () => {
    await enter();
    welcome([again]);
    expect(call.local.state.get().microphone.on).toBe(true);
    Socket.newest.receive({ type: "event", seq: 1, event: { type: "joined", participant: phone } });
    welcome([again, phone]);
    expect(call.local.state.get().microphone.on).toBe(true);
  });
});
