// What one asks of the room: kept until it is seen to be done, asked again after a loss, and never dropped without a word.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type Ask, Asks } from "../src/call/asks.ts";
import type {
  Caps,
  ChatMessage,
  ErrorCode,
  Participant,
  RoomEvent,
  ServerMessage,
} from "../src/generated/protocol.ts";
import { DEFAULT_SETTINGS } from "../src/generated/protocol.ts";

const caps: Caps = {
  audio: true,
  video: true,
  screen: true,
  captions: true,
  maxLayer: null,
  maxBitrate: null,
};
const mute: Ask = { type: "setCaps", participant: "ann", caps: { audio: false } };
const appoint: Ask = { type: "setRole", participant: "ann", role: "moderator" };
const configure: Ask = { type: "configure", change: { kind: "webinar" } };
const remove: Ask = { type: "remove", participant: "ann" };
const move: Ask = { type: "moveHere" };
const person = (id: string, user: string, own = caps) => ({ id, user, caps: own }) as Participant;
const [me, tab, ann] = [person("me", "u1"), person("tab", "u1"), person("ann", "u2")];
const muted = person("ann", "u2", { ...caps, audio: false });

let connected: boolean;
let sent: Ask[];
let said: (string | null)[];
let asks: Asks;

beforeEach(() => {
  vi.useFakeTimers();
  [connected, sent, said] = [true, [], []];
  asks = new Asks({
    send: (ask) => connected && sent.push(ask as Ask) > 0,
    onRefused: (why) => said.push(why),
    onMoved: () => said.push("moved"),
  });
});
afterEach(() => vi.useRealTimers());

const look = (participants: Participant[], settings = DEFAULT_SETTINGS, chat: ChatMessage[] = []) =>
  asks.look({ settings, participants, chat }, "me");

const refuse = (of: string) =>
  asks.refused({
    type: "error",
    code: "forbidden" as ErrorCode,
    message: "no",
    nonce: null,
    of,
    retryAfterMs: null,
  });

it.each<[Ask, Participant[], Participant[]]>([
  [mute, [me, ann], [me, muted]],
  [mute, [me, ann], [me]],
  [remove, [me, ann], [me]],
  [move, [me, tab, ann], [me, ann]],
])("is asked again after a loss until it is done: %o", (ask, before, after) => {
  asks.ask(ask);
  look(before);
  asks.welcome();
  expect(sent).toEqual([ask, ask]);
  look(after);
  asks.welcome();
  vi.advanceTimersByTime(60_000);
  expect(sent).toEqual([ask, ask]);
  expect(said).toEqual(ask === move ? [null, "moved"] : [null]);
  // It was done, and is asked for the second time in vain.
  refuse(ask.type);
  expect(said).not.toContain("no");
});

it("knows a role that was given, and settings that were changed", () => {
  asks.ask(appoint);
  asks.ask(configure);
  look([me, ann]);
  asks.welcome();
  expect(sent).toEqual([appoint, configure, appoint, configure]);
  look([me, { ...ann, role: "moderator" }], { ...DEFAULT_SETTINGS, kind: "webinar" });
  asks.welcome();
  expect(sent).toHaveLength(4);
});

it("knows that a guest who is to be a speaker in a meeting is a guest again", () => {
  const ask: Ask = { type: "setRole", participant: "ann", role: "speaker" };
  asks.ask(ask);
  look([me, { ...ann, guest: true, role: "viewer" }]);
  asks.welcome();
  expect(sent).toEqual([ask, ask]);
  look([me, { ...ann, guest: true, role: "guest" }]);
  asks.welcome();
  vi.advanceTimersByTime(60_000);
  expect([sent.length, said]).toEqual([2, [null]]);
});

const publishing = { microphone: true, camera: true, screen: false, codec: null };
const loud = { ...ann, publishing } as Participant;
const host = { ...loud, id: "me", role: "host" } as Participant;
const by = { type: "turnedOff", by: "me" } as const;
const off: Ask = { type: "turnOff", participant: "ann", source: "microphone" };
const unmuteAnn: Ask = { type: "askToUnmute", participant: "ann" };
const muteAll: Ask = { type: "muteAll", mute: "soft" };

type Told = RoomEvent | Extract<ServerMessage, { type: "askedToUnmute" }>;
it.each<[Ask, Told]>([
  [off, { ...by, participants: ["ann"], source: "microphone" }],
  [muteAll, { ...by, participants: ["ann", "tab"], source: "microphone" }],
  [unmuteAnn, { type: "askedToUnmute", participant: "ann", by: "me" }],
])("is done when the room tells so, where nothing else shows it: %o", (ask, told) => {
  asks.ask(ask);
  look([host, loud]);
  asks.happen({ ...by, participants: ["ann"], source: "camera" });
  asks.welcome();
  expect(sent).toEqual([ask, ask]);
  if (told.type === "askedToUnmute") asks.receive(told);
  else asks.happen(told);
  asks.welcome();
  vi.advanceTimersByTime(60_000);
  expect([sent.length, said]).toEqual([2, [null]]);
});

it.each<[Ask, Partial<Participant>]>([
  [off, { publishing: { ...publishing, microphone: false } }],
  [muteAll, { publishing: { ...publishing, microphone: false } }],
  [{ type: "muteAll", mute: "hard" }, { caps: { ...caps, audio: false } }],
  [{ type: "muteAll", mute: "lifted" }, { caps }],
])("is done when nobody is left whom it is about: %o", (ask, after) => {
  asks.ask(ask);
  look([{ ...loud, caps: { ...caps, audio: ask.type === "muteAll" && ask.mute === "hard" } }]);
  asks.welcome();
  expect(sent).toEqual([ask, ask]);
  look([
    { ...loud, id: "me", role: "host" },
    { ...loud, ...after },
  ]);
  asks.welcome();
  expect(sent).toHaveLength(2);
});

it("knows what was changed in the chat", () => {
  const line = (fields: Partial<ChatMessage>) => ({ id: "1", text: "a", ...fields }) as ChatMessage;
  const told: [Ask, ChatMessage][] = [
    [{ type: "editChat", id: "1", text: "b" }, line({ text: "b" })],
    [
      { type: "reactToChat", id: "1", reaction: "heart", on: true },
      line({ reactions: [{ reaction: "heart", count: 2, mine: true }] }),
    ],
    [{ type: "deleteChat", id: "1" }, line({ deleted: true })],
  ];
  for (const [ask, after] of told) {
    sent = [];
    asks.ask(ask);
    look([me], DEFAULT_SETTINGS, [line({})]);
    asks.welcome();
    expect(sent).toEqual([ask, ask]);
    look([me], DEFAULT_SETTINGS, [after]);
    asks.welcome();
    expect(sent).toHaveLength(2);
  }
});

it("is given up with a word when the room does not answer", () => {
  asks.ask(remove);
  look([me, ann]);
  vi.advanceTimersByTime(15_000);
  asks.welcome();
  expect([sent, said]).toEqual([[remove], [null, "the room did not answer"]]);
});

it("is the last of two that contradict each other", () => {
  const unmute: Ask = { type: "setCaps", participant: "ann", caps: { audio: true } };
  asks.ask(mute);
  asks.ask(unmute);
  look([me, muted]);
  asks.welcome();
  expect(sent).toEqual([mute, unmute, unmute]);
});

it.each<[string, () => void]>([
  ["refused", () => refuse("moveHere")],
  ["too late", () => vi.advanceTimersByTime(15_000)],
  ["not wanted any more", () => asks.end()],
])("moves nothing once it is %s", (_, end) => {
  asks.ask(move);
  end();
  look([me]);
  expect(said).not.toContain("moved");
});

it("moves nothing that could not be asked for", () => {
  connected = false;
  asks.ask(move);
  look([me]);
  expect(said).toEqual(["you are not connected right now"]);
});
