// The voices of the room: heard through the chosen speaker, not when the browser refuses, and never one's own.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { AudioOutput } from "../src/call/audio-output.ts";
import { Choices } from "../src/call/choices.ts";
import { fakeStorage } from "./fake-devices.ts";

/** An audio element, as far as a page can tell. */
class Element {
  static all: Element[];
  /** Whether the browser plays without a gesture. */
  static plays: boolean;
  /** Speakers that are not there. */
  static gone: Set<string>;
  paused = true;
  muted = false;
  sinkId = "";
  srcObject: unknown = null;
  onpause: (() => void) | null = null;
  onplay: (() => void) | null = null;
  async play() {
    if (!Element.plays) throw new DOMException("no gesture", "NotAllowedError");
    this.paused = false;
    this.onplay?.();
  }
  pause() {
    this.paused = true;
    this.onpause?.();
  }
  async setSinkId(id: string) {
    await Promise.resolve();
    if (Element.gone.has(id)) throw new DOMException("no such speaker", "NotFoundError");
    this.sinkId = id;
  }
  remove() {}
}

const track = () => ({ readyState: "live" }) as MediaStreamTrack;
const speakers = (...ids: string[]) =>
  ids.map((deviceId) => ({ kind: "audiooutput", deviceId })) as MediaDeviceInfo[];
const settle = () => new Promise((done) => setTimeout(done));
const elements = () => Element.all;
const sinks = () => Element.all.map(({ sinkId }) => sinkId);

let output: AudioOutput;
let page: EventTarget & { visibilityState?: string };

beforeEach(() => {
  Element.all = [];
  Element.plays = true;
  Element.gone = new Set();
  vi.stubGlobal("MediaStream", class {});
  vi.stubGlobal("HTMLMediaElement", Element);
  page = Object.assign(new EventTarget(), {
    visibilityState: "visible",
    createElement: () => {
      const element = new Element();
      Element.all.push(element);
      return element;
    },
    body: { append: () => {} },
  });
  vi.stubGlobal("document", page);
  output = new AudioOutput();
});
afterEach(() => {
  output.end();
  vi.unstubAllGlobals();
});

describe("sound that the browser does not play", () => {
  it("is a state, until a click resumes it", async () => {
    Element.plays = false;
    output.play([track(), track()]);
    await settle();
    expect(output.state.get().blocked).toBe(true);
    Element.plays = true;
    await output.resume();
    expect(output.state.get().blocked).toBe(false);
    expect(elements().map(({ paused }) => paused)).toEqual([false, false]);
  });

  it("stays a state when it is refused again", async () => {
    Element.plays = false;
    output.play([track()]);
    await output.resume();
    expect(output.state.get().blocked).toBe(true);
  });

  it("comes back with the page when the system has paused it", async () => {
    output.play([track()]);
    await settle();
    elements()[0]?.pause();
    expect(output.state.get().blocked).toBe(true);
    page.dispatchEvent(new Event("visibilitychange"));
    await settle();
    expect([elements()[0]?.paused, output.state.get().blocked]).toEqual([false, false]);
  });

  it("is nobody's business when its connection is over", async () => {
    const ended = { readyState: "live" };
    output.play([ended as MediaStreamTrack]);
    await settle();
    ended.readyState = "ended";
    elements()[0]?.pause();
    expect(output.state.get().blocked).toBe(false);
  });
});

describe("the speaker", () => {
  it("is the chosen one, for what plays and what will, and is remembered", async () => {
    const storage = fakeStorage();
    output = new AudioOutput(new Choices(storage));
    output.play([track()]);
    output.choose("headset");
    await settle();
    expect(sinks()).toEqual(["headset"]);
    const later = new AudioOutput(new Choices(storage));
    later.play([track()]);
    await settle();
    expect(sinks()).toEqual(["headset", "headset"]);
    expect(later.state.get()).toMatchObject({ chosen: "headset", missing: false });
  });

  it("is the one that was chosen last", async () => {
    output.play([track()]);
    for (const id of ["headset", "screen", null]) output.choose(id);
    output.choose("headset");
    await settle();
    expect(sinks()).toEqual(["headset"]);
  });

  it("gives way to the browser's choice when it is unplugged, and comes back", async () => {
    output.play([track()]);
    output.listed(speakers("built in", "headset"));
    output.choose("headset");
    await settle();
    output.listed(speakers("built in"));
    await settle();
    expect([sinks(), output.state.get().missing]).toEqual([[""], true]);
    output.listed(speakers("built in", "headset"));
    await settle();
    expect([sinks(), output.state.get().missing]).toEqual([["headset"], false]);
  });

  it("gives way when the browser refuses it", async () => {
    Element.gone.add("headset");
    output.choose("headset");
    output.play([track()]);
    await settle();
    expect([sinks(), output.state.get().missing]).toEqual([[""], true]);
  });

  it("is not to be chosen where the browser cannot", async () => {
    vi.stubGlobal("HTMLMediaElement", class {});
    const plain = new AudioOutput();
    plain.choose("headset");
    expect(plain.state.get()).toMatchObject({ canChoose: false, chosen: null });
  });
});

describe("one's own other page", () => {
  const [first, second] = [track(), track()];
  const muted = () => elements().map((element) => element.muted);

  it("is never heard, whichever slot carries it", () => {
    output.play([first, second]);
    output.silence((participant) => participant === "me, too");
    output.carry(new Map([[second, "me, too"]]));
    expect(muted()).toEqual([false, true]);
    output.carry(
      new Map([
        [first, "me, too"],
        [second, "ben"],
      ]),
    );
    expect(muted()).toEqual([true, false]);
  });

  it("is not heard either when it is known only afterwards, or plays anew", () => {
    output.carry(new Map([[first, "me, too"]]));
    output.play([first]);
    expect(muted()).toEqual([false]);
    output.silence((participant) => participant === "me, too");
    expect(muted()).toEqual([true]);
  });
});
