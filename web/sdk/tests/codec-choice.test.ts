// Which codec the own video is sent in, as people come and go.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CodecChoice, cannotPlay, decodedHere, unseenBy } from "../src/call/codec-choice.ts";
import type { Codec } from "../src/generated/protocol.ts";

const SECOND = 1_000;
const person = (id: string, decodes: Codec[]) => ({ id, decodes });
const ann = person("ann", ["vp8", "h264", "vp9", "av1"]);
const old = person("old", ["vp8", "h264"]);
/** Of a release that does not say. */
const unknown = person("unknown", []);

/** A browser with these codecs. */
function browser(codecs: string[]): void {
  const getCapabilities = () => ({ codecs: codecs.map((name) => ({ mimeType: `video/${name}` })) });
  vi.stubGlobal("RTCRtpSender", { getCapabilities });
  vi.stubGlobal("RTCRtpReceiver", { getCapabilities });
}

beforeEach(() => {
  vi.useFakeTimers();
  browser(["VP8", "VP9", "AV1"]);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the codec", () => {
  const changes: string[] = [];
  const choice = (preferred: "vp8" | "vp9" | "av1") =>
    new CodecChoice(
      preferred,
      (codec) => changes.push(codec),
      () => random,
    );
  let random: number;
  beforeEach(() => {
    changes.length = 0;
    random = 0;
  });

  it("stays the preferred one while all who have said can play it", () => {
    const codec = choice("av1");
    codec.look([]);
    codec.look([ann, unknown]);
    vi.advanceTimersByTime(60 * SECOND);
    expect([codec.codec, changes]).toEqual(["av1", []]);
  });

  it("changes at once when somebody comes who cannot play it", () => {
    const codec = choice("av1");
    codec.look([ann, old]);
    vi.advanceTimersByTime(0);
    expect([codec.codec, changes]).toEqual(["vp8", ["vp8"]]);
    codec.look([ann, old]);
    vi.advanceTimersByTime(SECOND);
    expect(changes).toEqual(["vp8"]);
  });

  it("does not change everywhere at the same moment, and the sooner the fewer there are", () => {
    random = 0.5;
    const crowd = Array.from({ length: 99 }, () => ann);
    const codec = choice("av1");
    codec.look([...crowd, old]);
    vi.advanceTimersByTime(600);
    // Somebody else who comes puts nothing off.
    codec.look([...crowd, old, ann]);
    vi.advanceTimersByTime(399);
    expect(changes).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(changes).toEqual(["vp8"]);
    codec.look(crowd);
    vi.advanceTimersByTime(30 * SECOND + 980);
    expect(changes).toEqual(["vp8"]);
    vi.advanceTimersByTime(20);
    expect(changes).toEqual(["vp8", "av1"]);
    choice("av1").look([ann, old]);
    vi.advanceTimersByTime(20);
    expect(changes).toEqual(["vp8", "av1", "vp8"]);
  });

  it("does not wait for what is merely better when somebody comes who would see nothing", () => {
    const codec = choice("av1");
    codec.look([person("a", ["vp9"])]);
    vi.advanceTimersByTime(0);
    codec.look([ann]);
    codec.look([person("a", ["vp8"])]);
    vi.advanceTimersByTime(0);
    expect(changes).toEqual(["vp9", "vp8"]);
  });

  it("goes back when nobody has needed the other for a while", () => {
    const codec = choice("av1");
    codec.look([ann, old]);
    vi.advanceTimersByTime(0);
    codec.look([ann]);
    vi.advanceTimersByTime(20 * SECOND);
    codec.look([ann, old]);
    vi.advanceTimersByTime(20 * SECOND);
    codec.look([ann]);
    vi.advanceTimersByTime(29 * SECOND);
    codec.look([ann, unknown]);
    expect(changes).toEqual(["vp8"]);
    vi.advanceTimersByTime(SECOND);
    expect([codec.codec, changes]).toEqual(["av1", ["vp8", "av1"]]);
  });

  it("does not change while the room cannot be told", () => {
    const codec = choice("av1");
    codec.look([old]);
    vi.advanceTimersByTime(0);
    codec.look([ann]);
    codec.pause();
    vi.advanceTimersByTime(60 * SECOND);
    expect(changes).toEqual(["vp8"]);
    codec.look([ann]);
    vi.advanceTimersByTime(30 * SECOND);
    expect(changes).toEqual(["vp8", "av1"]);
  });

  it("is what most can play where nothing can be played by all", () => {
    const codec = choice("av1");
    codec.look([person("a", ["vp9"]), person("b", ["vp9"]), person("c", ["vp8"])]);
    vi.advanceTimersByTime(0);
    expect(codec.codec).toBe("vp9");
  });

  it("is one that this browser can send", () => {
    browser(["VP8"]);
    const codec = choice("av1");
    codec.look([ann]);
    vi.advanceTimersByTime(60 * SECOND);
    expect([codec.codec, changes]).toEqual(["vp8", []]);
  });
});

describe("who", () => {
  const sends = (codec: Codec | null) => ({ microphone: true, camera: true, screen: false, codec });
  const publisher = (viewer: typeof ann, codec: Codec | null) => ({ ...viewer, publishing: sends(codec) });

  it("cannot play is known of those who have said what they can", () => {
    expect(cannotPlay(old.decodes, "av1")).toBe(true);
    expect(cannotPlay(old.decodes, "vp8")).toBe(false);
    expect(cannotPlay(old.decodes, null)).toBe(false);
    expect(cannotPlay(unknown.decodes, "av1")).toBe(false);
  });

  it("cannot see you is told of those whom no change would help", () => {
    const apple = person("apple", ["h264"]);
    const people = (codec: Codec | null) => [
      publisher(ann, codec),
      publisher(old, "vp8"),
      publisher(apple, "h264"),
      publisher(unknown, null),
    ];
    expect(unseenBy(people("vp8"), "ann")).toEqual(["apple"]);
    expect(unseenBy(people(null), "ann")).toEqual([]);
    // The change is under way.
    expect(unseenBy(people("av1").slice(0, 2), "ann")).toEqual([]);
  });

  it("decodes what is said at the join", () => {
    expect(decodedHere()).toEqual(["vp8", "vp9", "av1"]);
    vi.unstubAllGlobals();
    expect(decodedHere()).toEqual([]);
  });
});
