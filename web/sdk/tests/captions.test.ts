// Captions: what is said takes the place of what was said of it before, goes after a while, and is fed within what a node takes.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Captions } from "../src/call/captions.ts";
import type { Caption, ClientMediaMessage } from "../src/generated/protocol.ts";

let told: ClientMediaMessage[];
let captions: Captions;
const start = () => {
  told = [];
  captions = new Captions(
    (message) => told.push(message),
    () => "me",
  );
};
beforeEach(() => {
  vi.useFakeTimers();
  start();
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const caption = (fields: Partial<Caption>): Caption => ({
  by: "ann",
  id: 1,
  speaker: null,
  language: "en",
  text: "",
  final: false,
  ...fields,
});
const texts = () => captions.state.get().lines.map(({ text }) => text);
const fed = () => told.filter((message) => message.type === "feedCaption");

it("is told them from when they are shown, also by another node", () => {
  captions.again();
  expect(told).toEqual([]);
  captions.show(true);
  captions.again();
  captions.show(false);
  captions.again();
  expect(told).toEqual([true, true, false].map((on) => ({ type: "showCaptions", on })));
});

it("says for a while that what one feeds is not told, and why", () => {
  captions.feed({ text: "hello", language: "en" });
  captions.notTold("tooMuch");
  expect(captions.state.get().refused).toBe("tooMuch");
  vi.advanceTimersByTime(9_000);
  captions.notTold("notAllowed");
  vi.advanceTimersByTime(9_000);
  expect(captions.state.get().refused).toBe("notAllowed");
  vi.advanceTimersByTime(2_000);
  expect(captions.state.get().refused).toBeNull();
});

it("shows the latest of what is said, each for a while, where it began", () => {
  captions.show(true);
  captions.heard(caption({ text: "good" }));
  captions.heard(caption({ by: "bob", text: "hello" }));
  captions.heard(caption({ text: "good morning", final: true }));
  expect(texts()).toEqual(["good morning", "hello"]);
  vi.advanceTimersByTime(5_000);
  for (const id of [2, 3]) captions.heard(caption({ id, text: `line ${id}` }));
  expect(texts()).toEqual(["hello", "line 2", "line 3"]);
  vi.advanceTimersByTime(4_000);
  expect(texts()).toEqual(["line 2", "line 3"]);
  vi.advanceTimersByTime(10_000);
  expect(texts()).toEqual([]);
});

it("offers no more than the languages that were fed last", () => {
  captions.show(true);
  captions.heard(caption({ language: "en" }));
  for (let id = 10; id < 60; id++) {
    captions.heard(caption({ id, language: `x-${id}` }));
    if (id === 55) captions.heard(caption({ language: "en" }));
  }
  const latest = Array.from({ length: 19 }, (_, place) => `x-${41 + place}`);
  expect(captions.state.get().languages).toEqual(["en", ...latest]);
});

it("shows the language that is chosen, of those that are fed", () => {
  captions.show(true);
  const heard: string[] = [];
  const stop = captions.on(({ text }) => heard.push(text));
  captions.heard(caption({ text: "good morning" }));
  captions.heard(caption({ id: 2, language: "de", text: "guten Morgen" }));
  expect(captions.state.get().languages).toEqual(["de", "en"]);
  captions.choose("de");
  expect(texts()).toEqual(["guten Morgen"]);
  expect(heard).toEqual(["good morning", "guten Morgen"]);
  stop();
  captions.choose(null);
  expect(texts()).toHaveLength(2);
});

it("feeds what is final at once and in parts, and what is not now and then", () => {
  const id = captions.feed({ text: "one", language: "en", final: false });
  captions.feed({ text: "one two", language: "en", final: false, id });
  expect(fed().map(({ text }) => text)).toEqual(["one"]);
  captions.feed({ text: "one two three", language: "en", id });
  captions.feed({ text: "ä".repeat(450), language: "de", speaker: "bob" });
  expect(fed().map(({ id, text, speaker, final }) => [id, text.length, speaker, final])).toEqual([
    [1, 3, null, false],
    [1, 13, null, true],
    [2, 200, "bob", true],
    [3, 200, "bob", true],
    [4, 50, "bob", true],
  ]);
  captions.feed({ text: "  ", language: "en" });
  expect(fed()).toHaveLength(5);
  captions.feed({ text: "word ".repeat(50), language: "en" });
  expect(
    fed()
      .slice(5)
      .map(({ text }) => text.length),
  ).toEqual([199, 49]);
});

it("shows one's own as well", () => {
  captions.feed({ text: "unseen", language: "en" });
  captions.show(true);
  captions.feed({ text: "mine", language: "en" });
  expect(captions.state.get().lines).toMatchObject([{ by: "me", text: "mine" }]);
  captions.end();
  expect(captions.state.get()).toMatchObject({ on: false, lines: [], languages: [] });
});

class FakeRecognition {
  static made: FakeRecognition[] = [];
  lang = "";
  continuous = false;
  onresult: ((event: object) => void) | null = null;
  onerror: ((event: object) => void) | null = null;
  onend: (() => void) | null = null;
  start = vi.fn();
  abort = vi.fn();
  constructor() {
    FakeRecognition.made.push(this);
  }
  says(place: number, transcript: string, isFinal: boolean): void {
    const results = Array.from({ length: place + 1 }, () => Object.assign([{ transcript }], { isFinal }));
    this.onresult?.({ resultIndex: place, results });
  }
}

it("cannot turn speech into text where the browser cannot", () => {
  expect(captions.state.get().recognition).toEqual({ name: "none" });
  captions.recognize("en");
  expect(captions.state.get().recognition).toEqual({ name: "none" });
});

it("turns one's own speech into captions while that is wanted, and says why not", () => {
  vi.stubGlobal("webkitSpeechRecognition", FakeRecognition);
  FakeRecognition.made = [];
  start();
  expect(captions.state.get().recognition).toEqual({ name: "off", problem: null });
  expect(FakeRecognition.made).toEqual([]);
  captions.recognize("de-CH");
  // Not while one is muted.
  expect(FakeRecognition.made).toEqual([]);
  captions.hears(true);
  const [first] = FakeRecognition.made;
  expect(first).toMatchObject({ lang: "de-CH", continuous: true });
  first?.says(0, "guten", false);
  first?.says(0, "guten Tag", true);
  first?.says(1, "alle", true);
  expect(fed().map(({ id, text, final }) => [id, text, final])).toEqual([
    [1, "guten", false],
    [1, "guten Tag", true],
    [2, "alle", true],
  ]);
  captions.hears(false);
  expect(first?.abort).toHaveBeenCalledOnce();
  expect(captions.state.get().recognition.name).toBe("on");
  first?.onend?.();
  vi.advanceTimersByTime(1_000);
  expect(FakeRecognition.made).toHaveLength(1);
  captions.hears(true);
  const second = FakeRecognition.made[1];
  // The browser ends it in a silence.
  second?.onend?.();
  vi.advanceTimersByTime(1_000);
  const third = FakeRecognition.made[2];
  third?.says(0, "weiter", true);
  expect(fed().at(-1)).toMatchObject({ id: 3, text: "weiter" });
  third?.onerror?.({ error: "no-speech" });
  expect(captions.state.get().recognition.name).toBe("on");
  third?.onerror?.({ error: "not-allowed" });
  third?.onend?.();
  vi.advanceTimersByTime(1_000);
  expect(captions.state.get().recognition).toEqual({
    name: "off",
    problem: "The browser does not allow it.",
  });
  expect(FakeRecognition.made).toHaveLength(3);
});
