// The first offer of a call: with the join when it is prepared in time, over the WebSocket otherwise, and never lost.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { MediaSession } from "../src/call/media-session.ts";
import type { ClientMessage } from "../src/generated/protocol.ts";
import { eventually } from "./eventually.ts";
import { quietSession } from "./quiet-session.ts";

/** Just enough of a peer connection to make an offer: Node has none. */
class Connection {
  static sdp = "v=0";
  static servers: RTCIceServer[] | undefined;
  constructor({ iceServers }: RTCConfiguration) {
    Connection.servers = iceServers;
  }
  localDescription: { sdp: string } | null = null;
  createDataChannel = () => ({ readyState: "connecting" });
  addTransceiver = (kind: string) => ({
    mid: null,
    setCodecPreferences: () => {},
    sender: { track: null, getParameters: () => ({ encodings: [] }) },
    receiver: { track: { kind } },
  });
  createOffer = async () => ({ type: "offer", sdp: Connection.sdp });
  setLocalDescription = async (offer: { sdp: string }) => {
    this.localDescription = offer;
  };
  close = () => {};
}

const CAMERA = { kind: "video" } as MediaStreamTrack;
const MICROPHONE = { kind: "audio" } as MediaStreamTrack;

let sent: ClientMessage[];
let media: MediaSession;

beforeEach(() => {
  vi.stubGlobal("RTCPeerConnection", Connection);
  vi.stubGlobal("RTCRtpReceiver", { getCapabilities: () => ({ codecs: [] }) });
  Connection.sdp = "v=0";
  ({ media, sent } = quietSession());
});
afterEach(() => {
  media.end();
  vi.unstubAllGlobals();
});

const prepared = async () => {
  media.prepare();
  await eventually(() => expect(media.takeOffer()).not.toBeNull());
};
const attempts = () => sent.map((message) => message.type === "offer" && message.attempt);

it("travels with the join, and then not over the WebSocket", async () => {
  await prepared();
  expect(media.takeOffer()).toMatchObject({ attempt: 1, sdp: "v=0" });
  await media.offerFirst();
  expect(sent).toEqual([]);
});

it("goes over the WebSocket when it was not ready for the join", async () => {
  media.prepare();
  expect(media.takeOffer()).toBeNull();
  await media.offerFirst();
  expect(attempts()).toEqual([1]);
});

it("goes over the WebSocket when it is too long for the join", async () => {
  Connection.sdp = "x".repeat(48_001);
  media.prepare();
  await media.offer();
  expect(media.takeOffer()).toBeNull();
});

it("is prepared anew when ICE servers become known before it has left", async () => {
  media.prepare();
  media.useServers([{ urls: ["turn:turn.example"] }]);
  await eventually(() => expect(media.takeOffer()).toMatchObject({ attempt: 2 }));
  expect(Connection.servers).toEqual([{ urls: ["turn:turn.example"] }]);
});

it("is made anew when ICE servers become known before the connection is up", async () => {
  await prepared();
  media.useServers([{ urls: ["turn:turn.example"] }]);
  expect(sent).toEqual([]);
  await media.offerFirst();
  expect(attempts()).toEqual([2]);
  media.useServers([{ urls: ["turn:other.example"] }]);
  await eventually(() => expect(attempts()).toEqual([2, 3]));
  expect(Connection.servers).toEqual([{ urls: ["turn:other.example"] }]);
});

it("stays as it is when the ICE servers that become known are none", async () => {
  await prepared();
  media.useServers([]);
  await media.offerFirst();
  expect(sent).toEqual([]);
});

it("is sent again while it has no answer, after an interruption", async () => {
  await prepared();
  await media.resume();
  expect(attempts()).toEqual([1]);
});

it("is made anew when video is to be sent in another codec", async () => {
  void media.send("camera", CAMERA);
  await prepared();
  media.encodeIn("vp8");
  media.encodeIn("av1");
  expect(sent).toEqual([]);
  await eventually(() => expect(media.takeOffer()).toMatchObject({ attempt: 2 }));
  await media.offerFirst();
  media.encodeIn("vp8");
  await eventually(() => expect(attempts()).toEqual([3]));
});

it("waits for video to send before it is made anew in another codec", async () => {
  void media.send("microphone", MICROPHONE);
  await prepared();
  await media.offerFirst();
  media.encodeIn("av1");
  await media.send("microphone", null);
  expect(sent).toEqual([]);
  void media.send("screen", CAMERA);
  await eventually(() => expect(attempts()).toEqual([2]));
  await media.send("screen", null);
  media.encodeIn("vp8");
  media.encodeIn("av1");
  await media.send("screen", CAMERA);
  expect(attempts()).toEqual([2]);
});
