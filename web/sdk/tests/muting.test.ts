// A device that is turned off while another replacement of its track still waits its turn: off is off.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { LocalMedia } from "../src/call/local-media.ts";
import type { MediaSession } from "../src/call/media-session.ts";
import type { Source } from "../src/generated/protocol.ts";
import { Connection, type Sender, stubConnection } from "./fake-connection.ts";
import { FakeDevices } from "./fake-devices.ts";
import { quietSession } from "./quiet-session.ts";

const track = (kind: string) =>
  ({ kind, enabled: true, stop: () => {}, getSettings: () => ({}) }) as unknown as MediaStreamTrack;

let media: MediaSession;
beforeEach(() => {
  vi.useFakeTimers();
  stubConnection();
  ({ media } = quietSession());
  media.prepare();
});
afterEach(() => {
  media.end();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** The sender that this track went to. */
async function senderOf(source: Source, sent: MediaStreamTrack): Promise<Sender> {
  void media.send(source, sent);
  for (const sender of Connection.senders) await sender.settle();
  const found = Connection.senders.find((sender) => sender.track === sent);
  if (found === undefined) throw new Error(`${source} is sent by nobody`);
  return found;
}

for (const [source, kind] of [
  ["microphone", "audio"],
  ["camera", "video"],
] as const) {
  it(`sends no ${source} that was turned on and off again at once`, async () => {
    const own = track(kind);
    const sender = await senderOf(source, own);
    void media.send(source, null);
    await sender.settle();
    void media.send(source, own);
    void media.send(source, null);
    await sender.settle();
    expect(sender.track).toBeNull();
  });

  it(`sends the ${source} that was turned off and on again at once`, async () => {
    const own = track(kind);
    const sender = await senderOf(source, own);
    void media.send(source, null);
    void media.send(source, own);
    await sender.settle();
    expect(sender.track).toBe(own);
  });
}

it("silences the microphone's track itself, before any sender has let it go", async () => {
  const devices = new FakeDevices();
  const local = new LocalMedia(devices.media);
  await local.turn("microphone", true);
  const own = local.state.get().microphone.track as MediaStreamTrack;
  const sender = await senderOf("microphone", own);
  void local.turn("microphone", false);
  void media.send("microphone", null);
  expect([sender.track, own.enabled]).toEqual([own, false]);
  void local.turn("microphone", true);
  expect(own.enabled).toBe(true);
});
