// The chat of a call: pages of its history, who types, and what becomes of its lines.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Chat, type ChatShown, NO_CHAT } from "../src/call/chat.ts";
import { afterChat, withEarlier } from "../src/call/chat-lines.ts";
import type { Outbox } from "../src/call/outbox.ts";
import type { ChatMessage, ClientMessage } from "../src/generated/protocol.ts";

const line = (id: number, fields: Partial<ChatMessage> = {}): ChatMessage => ({
  id: `${id}`,
  nonce: `n${id}`,
  participant: "ann",
  user: "u",
  name: "Ann",
  text: `line ${id}`,
  sentAt: id,
  ...fields,
});
const page = (before: string, ids: number[], next: string | null, gone = false) =>
  ({ type: "chatPage", before, lines: ids.map((id) => line(id)), next, gone }) as const;

let sent: ClientMessage[];
let shown: ChatShown;
let lines: readonly ChatMessage[];
let chat: Chat;
const outbox = { close: vi.fn(), refused: vi.fn() } as unknown as Outbox;

beforeEach(() => {
  vi.useFakeTimers();
  [sent, shown, lines] = [[], NO_CHAT, []];
  chat = new Chat(outbox, {
    send: (message) => sent.push(message) > 0,
    ask: (ask) => sent.push(ask),
    onEarlier: (earlier) => {
      lines = withEarlier(lines, earlier);
      chat.shows(lines);
    },
    onOthers: () => {},
    onChange: (changed) => {
      shown = changed;
    },
  });
});
afterEach(() => {
  chat.end("failed");
  vi.useRealTimers();
});

const begin = (...ids: number[]) => {
  lines = ids.map((id) => line(id));
  chat.shows(lines);
};

describe("the history", () => {
  it("is paged back to the first line, over what one does not see", () => {
    begin(8, 9);
    chat.showEarlier();
    chat.showEarlier();
    expect(sent).toEqual([{ type: "chatHistory", before: "8", limit: 100 }]);
    expect(shown.earlier).toBe("loading");
    chat.receive(page("8", [6, 7], "6"));
    expect(shown.earlier).toBe("some");
    chat.showEarlier();
    // All of this page is between others.
    chat.receive(page("6", [], "3"));
    expect(sent).toHaveLength(3);
    chat.receive(page("3", [1, 2], null));
    expect(lines.map(({ id }) => id)).toEqual(["1", "2", "6", "7", "8", "9"]);
    expect(shown.earlier).toBe("none");
    chat.showEarlier();
    expect(sent).toHaveLength(3);
  });

  it("begins where the first line is shown, and says where the oldest have gone", () => {
    begin(1, 2);
    expect(shown.earlier).toBe("none");
    begin();
    expect(shown.earlier).toBe("none");
    begin(5);
    chat.showEarlier();
    chat.receive(page("5", [], null, true));
    expect(shown.earlier).toBe("gone");
  });

  it("goes on before lines of which none is shown, if the room says that there are some", () => {
    begin();
    expect(shown.earlier).toBe("none");
    chat.shows([], "202");
    chat.shows([]);
    expect(shown.earlier).toBe("some");
    chat.showEarlier();
    expect(sent).toEqual([{ type: "chatHistory", before: "202", limit: 100 }]);
    chat.receive(page("202", [], "102"));
    chat.receive(page("102", [1], null));
    expect([shown.earlier, lines[0]?.id]).toEqual(["none", "1"]);
  });

  it("can be brought back where lines were dropped", () => {
    begin(1, 2);
    begin(2, 3);
    expect(shown.earlier).toBe("some");
    chat.showEarlier();
    chat.receive(page("2", [1], null));
    expect([shown.earlier, lines[0]?.id]).toEqual(["none", "1"]);
  });

  it.each([
    ["the connection is lost", () => chat.lost()],
    [
      "it is refused",
      () =>
        chat.refused({
          type: "error",
          code: "rateLimited",
          message: "wait",
          nonce: null,
          of: "chatHistory",
          retryAfterMs: null,
        }),
    ],
    ["nothing comes", () => vi.advanceTimersByTime(10_000)],
  ])("can be asked for again when %s", (_, happens) => {
    begin(5);
    chat.showEarlier();
    happens();
    expect(shown.earlier).toBe("some");
    // What comes late is not taken for the answer to what was asked since.
    chat.receive(page("5", [4], "4"));
    expect(lines).toHaveLength(1);
    chat.showEarlier();
    expect(sent).toHaveLength(2);
  });
});

it("goes on over what is not shown, also where it was too fast", () => {
  begin(500);
  chat.showEarlier();
  chat.receive(page("500", [], "400"));
  expect(sent.at(-1)).toMatchObject({ before: "400" });
  const error = { type: "error", code: "rateLimited", message: "wait", nonce: null } as const;
  chat.refused({ ...error, of: "chatHistory", retryAfterMs: 3_000 });
  vi.advanceTimersByTime(2_900);
  expect(sent).toHaveLength(2);
  vi.advanceTimersByTime(200);
  expect(sent.at(-1)).toMatchObject({ before: "400" });
  chat.receive(page("400", [], null));
  expect([sent.length, shown.earlier]).toEqual([3, "none"]);
});

it("tells now and then that one types, and of others until they stop", () => {
  for (let key = 0; key < 5; key += 1) chat.types();
  vi.advanceTimersByTime(3_000);
  chat.types();
  expect(sent).toEqual([{ type: "typing" }, { type: "typing" }]);
  chat.receive({ type: "typing", participant: "ann" });
  chat.receive({ type: "typing", participant: "ben" });
  vi.advanceTimersByTime(4_000);
  chat.receive({ type: "typing", participant: "ann" });
  vi.advanceTimersByTime(1_000);
  expect(shown.typing).toEqual(["ann"]);
  chat.happen({ type: "left", participant: "ann", reason: "left" });
  expect(shown.typing).toEqual([]);
});

describe("lines", () => {
  const before = [line(1), line(2), line(3)];

  it("keep their order, whatever becomes of them", () => {
    const edited = afterChat(before, { type: "chatEdited", id: "2", text: "new", editedAt: 9 }, "u");
    expect(edited.map(({ text }) => text)).toEqual(["line 1", "new", "line 3"]);
    const deleted = afterChat(edited, { type: "chatDeleted", id: "2" }, "u");
    expect(deleted.map(({ id, text, deleted }) => [id, text, deleted])).toEqual([
      ["1", "line 1", undefined],
      ["2", "", true],
      ["3", "line 3", undefined],
    ]);
    expect(afterChat(before, { type: "chatDeleted", id: "9" }, "u")).toEqual(before);
  });

  it("count what others feel, and know what one feels oneself", () => {
    const react = (chat: readonly ChatMessage[], user: string, on: boolean, count: number) =>
      afterChat(chat, { type: "chatReacted", id: "1", user, reaction: "heart", on, count }, "u");
    const one = react(before, "u", true, 1);
    const two = react(one, "other", true, 2);
    expect(two[0]?.reactions).toEqual([{ reaction: "heart", count: 2, mine: true }]);
    const left = react(two, "u", false, 1);
    expect(left[0]?.reactions).toEqual([{ reaction: "heart", count: 1, mine: false }]);
    expect(react(left, "other", false, 0)[0]?.reactions).toEqual([]);
  });

  it("drop their oldest, but not what one has paged back to", () => {
    const many = Array.from({ length: 700 }, (_, index) => line(index + 1));
    const live = afterChat(many.slice(0, 500), { type: "chat", message: line(501) }, "u");
    expect([live.length, live[0]?.id]).toEqual([500, "2"]);
    const paged = afterChat(many, { type: "chat", message: line(701) }, "u");
    expect([paged.length, paged[0]?.id]).toEqual([701, "1"]);
  });
});
