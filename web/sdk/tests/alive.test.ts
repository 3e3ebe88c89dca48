// Signs of life: the node hears one each second, whatever is sent beside them.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Peer } from "../src/call/peer.ts";
import { Connection, stubConnection } from "./fake-connection.ts";

let peer: Peer;

beforeEach(() => {
  vi.useFakeTimers();
  stubConnection();
  const ignore = () => {};
  const video = { codec: "vp8", scalabilityMode: null, simulcast: true } as const;
  peer = new Peer(
    1,
    { videoSlots: 1, iceServers: [], video },
    {
      onPath: () => {},
      onConnected: ignore,
      onSilent: ignore,
      onLost: ignore,
      onReady: ignore,
      onShown: ignore,
      onSpeakers: ignore,
      onQuality: ignore,
      onQualities: ignore,
      onCaption: ignore,
      onCaptionRefused: ignore,
    },
  );
});
afterEach(() => {
  peer.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** How many signs of life the node has heard. */
const signs = () => Connection.newest.channel.said.filter((text) => text === '{"type":"alive"}').length;

function connect(): void {
  const connection = Connection.newest;
  connection.becomes("connected");
  connection.channel.readyState = "open";
  connection.channel.onopen();
}

it("come with the channel, and each second from then on", async () => {
  connect();
  expect(signs()).toBe(1);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(signs()).toBe(11);
});

it("come to an end with the connection", async () => {
  connect();
  peer.close();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(signs()).toBe(1);
});
