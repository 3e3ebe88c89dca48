// Joining a call: it can be given up, it ends when nobody answers, and a refusal comes as it is.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Api } from "../src/api.ts";
import { Call } from "../src/call/call.ts";
import { ApiError, TimeoutError } from "../src/problem.ts";
import { eventually } from "./eventually.ts";

/** Just enough of a peer connection to make an offer: Node has none. */
class Connection {
  constructor({ iceServers = [] }: RTCConfiguration) {
    const [url] = iceServers[0]?.urls ?? [];
    if (url?.startsWith("stun:")) ways.set(url, this);
  }
  onicecandidate: ((event: { candidate: { type: string } }) => void) | null = null;
  localDescription: { sdp: string } | null = null;
  createDataChannel = () => ({ readyState: "connecting" });
  addTransceiver = (kind: string) => ({
    mid: null,
    setCodecPreferences: () => {},
    sender: { track: null, getParameters: () => ({ encodings: [] }), replaceTrack: async () => {} },
    receiver: { track: { kind } },
  });
  createOffer = async () => ({ type: "offer", sdp: "v=0" });
  setLocalDescription = async (offer: { sdp: string }) => {
    this.localDescription = offer;
  };
  close = () => {};
}

const SESSION = { token: "t", expiresIn: 3600, user: { id: "u", email: "a@example.com", name: "Ann" } };
const PROBES = { near: ["192.0.2.1:1"], far: ["192.0.2.2:1"] };
const never = () => new Promise<Response>(() => {});

let answerJoin: () => Promise<Response>;
/** The connections that measure the way to a node. */
const ways = new Map<string, Connection>();
let joins: { moveHere: boolean; roundTrips: Record<string, number>; aborted: () => boolean }[];
let send: typeof fetch;
let call: Call;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("RTCPeerConnection", Connection);
  vi.stubGlobal("RTCRtpReceiver", { getCapabilities: () => ({ codecs: [] }) });
  vi.stubGlobal("location", { origin: "http://x" });
  answerJoin = never;
  joins = [];
  ways.clear();
  send = async (input: RequestInfo | URL, init?: RequestInit) => {
    const path = String(input);
    if (path.endsWith("/refresh")) return new Response(JSON.stringify(SESSION));
    if (!path.endsWith("/join")) return new Response(JSON.stringify({ iceServers: [], probes: PROBES }));
    const { moveHere, roundTrips } = JSON.parse(String(init?.body));
    joins.push({ moveHere, roundTrips, aborted: () => init?.signal?.aborted ?? false });
    return answerJoin();
  };
  call = new Call(new Api({ fetch: send }), "r");
});
afterEach(() => {
  call.dispose();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const status = () => call.state.get().status;
const asked = () => eventually(() => expect(joins.length).toBeGreaterThan(0));

it("is given up when one wants it, and may begin again", async () => {
  call.join();
  await asked();
  expect(status()).toEqual({ name: "joining" });
  call.cancel();
  expect(status()).toEqual({ name: "idle" });
  expect(joins[0]?.aborted()).toBe(true);
  call.join({ moveHere: true });
  await eventually(() => expect(joins.map(({ moveHere }) => moveHere)).toEqual([false, true]));
});

it("ends in words when nobody answers", async () => {
  call.join();
  await vi.advanceTimersByTimeAsync(30_000);
  expect(status()).toMatchObject({ name: "failed", error: expect.any(TimeoutError) });
  expect(joins[0]?.aborted()).toBe(true);
});

it("ends in words when the room never welcomes, and is over then", async () => {
  const sockets: { url: string; close: () => void }[] = [];
  vi.stubGlobal(
    "WebSocket",
    class {
      static readonly OPEN = 1;
      readyState = 0;
      close = () => {};
      constructor(readonly url: string) {
        sockets.push(this);
      }
    },
  );
  answerJoin = async () =>
    new Response(
      JSON.stringify({
        room: {},
        participant: "p",
        ticket: "k",
        url: "/ws?ticket=k",
        iceServers: [],
        iceExpiresIn: 7_200,
      }),
    );
  call.join();
  await vi.advanceTimersByTimeAsync(30_000);
  expect(status()).toMatchObject({ name: "failed", error: expect.any(TimeoutError) });
  const tried = sockets.length;
  expect(new Set(sockets.map(({ url }) => url))).toEqual(new Set(["ws://x/ws?ticket=k"]));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(sockets).toHaveLength(tried);
});

it("tells a refusal as it is", async () => {
  answerJoin = async () =>
    new Response(
      JSON.stringify({ type: "x", title: "Gone", status: 404, detail: "There is no such room." }),
      {
        status: 404,
      },
    );
  call.join();
  await eventually(() => expect(status()).toMatchObject({ name: "failed", error: expect.any(ApiError) }));
});

/** Until something is so, without a moment of time that passes. */
async function atOnce(look: () => boolean): Promise<void> {
  for (let turn = 0; turn < 100 && !look(); turn++) await vi.advanceTimersByTimeAsync(0);
  expect(look()).toBe(true);
}

it("waits for no measuring of the regions, and tells what is known by then, in the next call as well", async () => {
  // What other tests measure is of another installation.
  const api = new Api({ origin: "https://measured.example", fetch: send });
  call.dispose();
  call = new Call(api, "r");
  call.prepare();
  await atOnce(() => ways.size === 2);
  call.join();
  await atOnce(() => joins.length === 1);
  expect(joins[0]?.roundTrips).toEqual({});
  ways.get("stun:192.0.2.1:1")?.onicecandidate?.({ candidate: { type: "srflx" } });
  await vi.advanceTimersByTimeAsync(0);
  call.dispose();
  call = new Call(api, "r");
  call.join();
  await atOnce(() => joins.length === 2);
  expect(Object.keys(joins[1]?.roundTrips ?? {})).toEqual(["near"]);
});
