// A page that is loaded anew, or brought back: its call goes on as the same participant, and only there.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Api } from "../src/api.ts";
import { Call } from "../src/call/call.ts";
import {
  DEFAULT_SETTINGS,
  type Participant,
  RETURN_SECONDS,
  type ServerMessage,
} from "../src/generated/protocol.ts";
import { eventually } from "./eventually.ts";
import { stubConnection } from "./fake-connection.ts";
import { FakeDevices } from "./fake-devices.ts";

/** The room's end of a socket. */
class Socket {
  static readonly OPEN = 1;
  static all: Socket[] = [];
  readonly url: string;
  readonly said: { type: string; attempt?: number }[] = [];
  readyState = 1;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  constructor(url: string) {
    this.url = url;
    Socket.all.push(this);
    queueMicrotask(() => this.onopen?.());
  }
  send(text: string): void {
    if (text !== "ping") this.said.push(JSON.parse(text));
  }
  close(): void {
    this.readyState = 3;
  }
  receive(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message as ServerMessage) });
  }
}

const ROOM = { id: "r", name: "Room", owner: "u", createdAt: 0, people: 1 };
const YOU: Participant = {
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

/** What the tab keeps. */
class Tab {
  readonly kept = new Map<string, string>();
  getItem = (key: string) => this.kept.get(key) ?? null;
  setItem = (key: string, value: string) => void this.kept.set(key, value);
  removeItem = (key: string) => void this.kept.delete(key);
}

let devices: FakeDevices;
let page: EventTarget;
let tab: Tab;
let pages: Call[];

beforeEach(() => {
  Socket.all = [];
  [devices, page, tab, pages] = [new FakeDevices(), new EventTarget(), new Tab(), []];
  stubConnection();
  vi.stubGlobal("WebSocket", Socket);
  vi.stubGlobal("MediaStream", class {});
  vi.stubGlobal("navigator", { mediaDevices: devices.media });
  vi.stubGlobal("document", Object.assign(new EventTarget(), { visibilityState: "visible" }));
});
afterEach(() => {
  for (const call of pages) call.dispose();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** A page of this tab, for a room. */
function load(room = "r"): Call {
  page = new EventTarget();
  vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
  vi.stubGlobal("removeEventListener", page.removeEventListener.bind(page));
  const api = {
    origin: "http://connect.example",
    joined: async () => {},
    join: async () => ({
      room: ROOM,
      participant: "you",
      ticket: "t",
      url: "/ws?ticket=t",
      iceServers: [],
      iceExpiresIn: 7_200,
    }),
    iceServers: async () => ({ iceServers: [], expiresIn: 7_200 }),
    isReachable: async () => true,
  };
  const call = new Call(api as unknown as Api, room, { tab });
  pages.push(call);
  return call;
}

async function welcome(call: Call, before: number, participants = [YOU]): Promise<Socket> {
  await eventually(() => expect(Socket.all.length).toBeGreaterThan(before));
  const socket = Socket.all.at(-1) as Socket;
  const snapshot = {
    settings: DEFAULT_SETTINGS,
    room: ROOM,
    participants,
    chat: [],
    chatBefore: "0",
    polls: [],
    hands: [],
    spotlight: [],
    wishes: [],
    breakouts: null,
    now: 0,
  };
  socket.receive({
    type: "welcome",
    seq: 7,
    you: "you",
    resumeToken: `token ${Socket.all.length}`,
    redialWithinMs: 0,
    snapshot,
  });
  expect(call.state.get().status.name).toBe("joined");
  return socket;
}

/** Somebody is in the room, with the microphone on and the camera off. */
async function inCall(): Promise<{ call: Call; socket: Socket }> {
  const call = load();
  await call.local.acquire();
  await call.local.turn("camera", false);
  call.join();
  return { call, socket: await welcome(call, 0) };
}

const leave = () => page.dispatchEvent(new Event("pagehide"));

it("says that the page is left, and the next one goes on as who it was, with the devices as they were", async () => {
  const { socket } = await inCall();
  leave();
  expect(socket.said.map(({ type }) => type)).toContain("pageGone");
  expect(socket.said.map(({ type }) => type)).not.toContain("leave");
  const next = load();
  expect(next.comeBack("u")).toBe(true);
  expect(tab.kept.size).toBe(0);
  const back = await welcome(next, 1);
  expect(back.url).toContain("resume=token+1");
  expect(back.url).not.toContain("since");
  await eventually(() => expect(next.local.state.get().microphone.on).toBe(true));
  expect(next.local.state.get().camera.wanted).toBe(false);
  const attempts = (of: Socket) =>
    of.said.filter(({ type }) => type === "offer").map(({ attempt }) => attempt ?? 0);
  await eventually(() => expect(attempts(back).length).toBeGreaterThan(0));
  expect(Math.min(...attempts(back))).toBeGreaterThan(Math.max(0, ...attempts(socket)));
});

it("goes on also when it is loaded once more before it was welcomed", async () => {
  await inCall();
  leave();
  const next = load();
  expect(next.comeBack("u")).toBe(true);
  await eventually(() => expect(Socket.all.length).toBe(2));
  leave();
  expect(Socket.all[1]?.said.map(({ type }) => type)).not.toContain("leave");
  expect(load().comeBack("u")).toBe(true);
  await eventually(() => expect(Socket.all.at(-1)?.url).toContain("resume=token+1"));
});

it("leaves the microphone on beside oneself in another tab, where one was before", async () => {
  await inCall();
  leave();
  const next = load();
  next.comeBack("u");
  await welcome(next, 1, [YOU, { ...YOU, id: "other tab" }]);
  expect(next.local.state.get().microphone.wanted).toBe(true);
});

it("leads into no other room, nobody else in, and nobody for long", async () => {
  const elsewhere: [string, string | null, number][] = [
    ["other", "u", 0],
    ["r", "somebody else", 0],
    ["r", null, 0],
    ["r", "u", RETURN_SECONDS * 1_000],
  ];
  const { call } = await inCall();
  leave();
  const [[key, kept] = ["", ""]] = tab.kept;
  for (const [room, account, later] of elsewhere) {
    tab.setItem(key, kept);
    vi.useFakeTimers({ now: Date.now() + later, toFake: ["Date"] });
    expect(load(room).comeBack(account)).toBe(false);
    expect(tab.kept.size).toBe(0);
    vi.useRealTimers();
  }
  expect(call.state.get().status).toEqual({ name: "ended", reason: "left" });
});

it("is the same for a page that the browser has kept", async () => {
  const { call } = await inCall();
  leave();
  page.dispatchEvent(new Event("pageshow"));
  expect(call.state.get().status.name).toBe("joining");
  await welcome(call, 1);
  await eventually(() => expect(call.local.state.get().microphone.on).toBe(true));
  expect(call.local.state.get().camera.wanted).toBe(false);
});

it("leaves at once where nothing can be kept", async () => {
  const { socket } = await inCall();
  tab.setItem = () => {
    throw new Error("full");
  };
  leave();
  expect(socket.said.map(({ type }) => type)).toContain("leave");
});
