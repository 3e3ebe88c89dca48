// What others are told of the own devices: one word at a time, told again until the room has taken it.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LocalMedia } from "../src/call/local-media.ts";
import { LocalScreen } from "../src/call/local-screen.ts";
import { Publisher } from "../src/call/publishing.ts";
import type { Caps, Participant, Publishing, ServerMessage, Source } from "../src/generated/protocol.ts";
import { FakeDevices } from "./fake-devices.ts";

const SILENT: Publishing = { microphone: false, camera: false, screen: false, codec: null };
const ALLOWED: Caps = {
  audio: true,
  video: true,
  screen: true,
  captions: true,
  maxLayer: null,
  maxBitrate: null,
};
const error = (fields: object) =>
  ({
    type: "error",
    code: "rateLimited",
    message: "",
    nonce: null,
    of: "publishing",
    retryAfterMs: 700,
    ...fields,
  }) as Extract<ServerMessage, { type: "error" }>;

let local: LocalMedia;
let publisher: Publisher;
/** What was told, the oldest first, and whether the socket is open. */
let told: Publishing[];
let open: boolean;
let sent: Map<Source, MediaStreamTrack | null>;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("MediaStream", class {});
  const { media } = new FakeDevices();
  local = new LocalMedia(media);
  told = [];
  open = true;
  sent = new Map();
  publisher = new Publisher(local, new LocalScreen(media), {
    send: (source, track) => void sent.set(source, track),
    tell: (publishing) => open && told.push(publishing) > 0,
  });
});
afterEach(() => {
  publisher.end();
  local.end();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const obey = (publishing: Publishing, caps = ALLOWED) =>
  publisher.obey({ publishing, caps } as unknown as Participant);
const microphone = { ...SILENT, microphone: true };

describe("what others are told", () => {
  it("follows the devices, and is not told twice", async () => {
    publisher.enter();
    expect(told).toEqual([]);
    await local.turn("microphone", true);
    expect(told).toEqual([microphone]);
    expect(sent.get("microphone")).toBe(local.state.get().microphone.track);
    obey(microphone);
    expect(told).toEqual([microphone]);
  });

  it("is told one word at a time, so that the last one holds", async () => {
    publisher.enter();
    await local.turn("microphone", true);
    await local.turn("microphone", false);
    await local.turn("microphone", true);
    await local.turn("microphone", false);
    expect(told).toEqual([microphone]);
    obey(microphone);
    expect(told).toEqual([microphone, SILENT]);
  });

  it("is told again, as the room says, when it was refused", async () => {
    publisher.enter();
    await local.turn("microphone", true);
    publisher.refused(error({}));
    await local.turn("microphone", false);
    await local.turn("camera", true);
    expect(told).toEqual([microphone]);
    await vi.advanceTimersByTimeAsync(699);
    expect(told).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(told).toEqual([microphone, { ...SILENT, camera: true }]);
  });

  it("counts a message that the room did not even read", async () => {
    publisher.enter();
    await local.turn("microphone", true);
    publisher.refused(error({ of: null, retryAfterMs: 50 }));
    await vi.advanceTimersByTimeAsync(50);
    expect(told).toEqual([microphone, microphone]);
  });

  it("does not take another message's refusal for its own", async () => {
    publisher.enter();
    await local.turn("microphone", true);
    publisher.refused(error({ of: "chat", retryAfterMs: 1 }));
    await vi.advanceTimersByTimeAsync(1);
    expect(told).toEqual([microphone]);
  });

  it("is told again, less and less often, when nothing comes back", async () => {
    publisher.enter();
    await local.turn("microphone", true);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(told).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(9_999);
    expect(told).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1);
    expect(told).toHaveLength(3);
  });

  it("waits for the room to be back, and goes by what it knows then", async () => {
    publisher.enter();
    await local.turn("microphone", true);
    publisher.lost();
    open = false;
    await local.turn("microphone", false);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(told).toEqual([microphone]);
    open = true;
    obey(microphone);
    expect(told).toEqual([microphone, SILENT]);
  });

  it("is not disturbed by what was known before it was told", async () => {
    await local.turn("microphone", true);
    publisher.enter();
    obey(SILENT);
    expect(told).toEqual([microphone]);
    obey(microphone);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(told).toEqual([microphone]);
  });

  it("names the codec once it is known, as long as there is video", async () => {
    publisher.enter();
    await local.turn("camera", true);
    obey({ ...SILENT, camera: true });
    publisher.codecIs("vp8");
    expect(told.at(-1)).toEqual({ ...SILENT, camera: true, codec: "vp8" });
    obey({ ...SILENT, camera: true, codec: "vp8" });
    await local.turn("camera", false);
    expect(told.at(-1)).toEqual(SILENT);
  });
});

it("turns off what the owner forbids", async () => {
  publisher.enter();
  await local.turn("microphone", true);
  obey(microphone, { ...ALLOWED, audio: false });
  expect(local.state.get().microphone.on).toBe(false);
  expect(sent.get("microphone")).toBeNull();
  expect(told.at(-1)).toEqual(SILENT);
});
