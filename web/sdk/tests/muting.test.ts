// A device that is turned off while another replacement of its track still waits its turn: off is off.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { LocalMedia } from "../src/call/local-media.ts";
import { MediaSession } from "../src/call/media-session.ts";
import type { Source } from "../src/generated/protocol.ts";

/** A sender as the standard has it: a replacement waits for those before it, and until then the sender has its old track. */
class Sender {
  track: MediaStreamTrack | null = null;
  #waiting: (() => void)[] = [];
  getParameters = () => ({ encodings: [] });
  setParameters = async () => {};
  replaceTrack(track: MediaStreamTrack | null): Promise<void> {
    return new Promise((done) => {
      this.#waiting.push(() => {
        this.track = track;
        done();
      });
    });
  }
  /** Does all that waits, and what is asked for meanwhile. */
  async settle(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      next();
      await vi.advanceTimersByTimeAsync(0);
    }
  }
}

/** Just enough of a peer connection to prepare an offer; its first senders are those of the sources, in their order. */
class Connection {
  static senders: Sender[];
  localDescription = null;
  constructor() {
    Connection.senders = [];
  }
  createDataChannel = () => ({ readyState: "connecting" });
  addTransceiver = (kind: string, { direction }: RTCRtpTransceiverInit) => {
    const sender = new Sender();
    if (direction === "sendonly") Connection.senders.push(sender);
    return { mid: null, setCodecPreferences: () => {}, sender, receiver: { track: { kind } } };
  };
  createOffer = async () => ({ type: "offer", sdp: "v=0" });
  setLocalDescription = async () => {};
  close = () => {};
}

const track = (kind: string) =>
  ({ kind, enabled: true, stop: () => {}, getSettings: () => ({}) }) as unknown as MediaStreamTrack;

let media: MediaSession;
beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("RTCPeerConnection", Connection);
  vi.stubGlobal("RTCRtpReceiver", { getCapabilities: () => ({ codecs: [] }) });
  const ignore = () => {};
  media = new MediaSession(1, {
    send: () => true,
    onStatus: ignore,
    onShown: ignore,
    onSpeakers: ignore,
    onQuality: ignore,
    onStep: ignore,
  });
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
  const own = track("audio");
  const devices = {
    addEventListener: () => {},
    removeEventListener: () => {},
    enumerateDevices: async () => [],
    getUserMedia: async () => ({ getTracks: () => [own] }),
  };
  const local = new LocalMedia(devices as unknown as MediaDevices);
  await local.turn("microphone", true);
  const sender = await senderOf("microphone", own);
  void local.turn("microphone", false);
  void media.send("microphone", null);
  expect([sender.track, own.enabled]).toEqual([own, false]);
  void local.turn("microphone", true);
  expect(own.enabled).toBe(true);
});
