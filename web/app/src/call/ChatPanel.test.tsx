// The chat: whose lines they are, which way they run, and what becomes of a line that did not go.
import type { ChatMessage, Participant } from "@connect/sdk";
import type { Call, CallState } from "@connect/sdk/call";
import { cleanup, render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, it, vi } from "vitest";
import { ChatPanel } from "./ChatPanel.tsx";

afterEach(() => {
  cleanup();
  vi.clearAllMocks();
});

const chat = {
  say: vi.fn(),
  retry: vi.fn(),
  drop: vi.fn(),
  edit: vi.fn(),
  remove: vi.fn(),
  react: vi.fn(),
  types: vi.fn(),
  showEarlier: vi.fn(),
};
const upTo = vi.fn();
const call = { chat, reading: { upTo } };
const line = (fields: Partial<ChatMessage>): ChatMessage => ({
  id: "1",
  nonce: "n",
  participant: "ann",
  user: "u2",
  name: "Ann",
  text: "hi",
  sentAt: 0,
  ...fields,
});
const open = (fields: Partial<CallState>) =>
  render(
    <ChatPanel
      call={call as unknown as Call}
      state={
        {
          status: { name: "joined" },
          participants: [{ id: "me", user: "u1" } as Participant],
          you: "me",
          chat: [],
          outbox: [],
          earlier: "none",
          typing: [],
          ...fields,
        } as CallState
      }
    />,
  );

it("says of the own lines that they are, also of those before one came back as somebody new", () => {
  open({ chat: [line({}), line({ id: "2", participant: "me before", user: "u1", name: "Ben" })] });
  const names = [...document.querySelectorAll(".line-head bdi")].map(({ textContent }) => textContent);
  expect(names).toEqual(["Ann", "You"]);
});

it("lets every line and what is written run its own way", () => {
  open({ chat: [line({ text: "שלום world!" })], outbox: [{ nonce: "x", text: "مرحبا", refused: null }] });
  const dirs = [...document.querySelectorAll(".line-text")].map((text) => text.getAttribute("dir"));
  expect(dirs).toEqual(["auto", "auto"]);
  expect(screen.getByRole("textbox").getAttribute("dir")).toBe("auto");
});

it("says of a line that it did not go, and lets it be sent again or deleted", async () => {
  const user = userEvent.setup();
  open({
    outbox: [
      { nonce: "a", text: "one", refused: "too many messages" },
      { nonce: "b", text: "two", refused: null },
    ],
  });
  const log = within(screen.getByRole("log"));
  expect(log.getByText("Not sent. Too many messages.")).toBeTruthy();
  await user.click(log.getByRole("button", { name: "Try again" }));
  expect(chat.retry).toHaveBeenCalledWith("a");
  await user.click(log.getByRole("button", { name: "Delete" }));
  expect(chat.drop).toHaveBeenCalledWith("a");
});

it("says that a line waits while there is no connection", () => {
  open({
    status: { name: "reconnecting", pauseMs: 0 },
    outbox: [{ nonce: "b", text: "two", refused: null }],
  });
  expect(screen.getByText("Waits for the connection")).toBeTruthy();
});

it("shows links as links, of https alone, and nothing as markup", () => {
  open({ chat: [line({ text: "see https://a.example/b?c=1. <b>http://x</b> javascript:alert(1)" })] });
  const [link, ...more] = screen.getAllByRole("link");
  expect(more).toEqual([]);
  expect(link?.getAttribute("href")).toBe("https://a.example/b?c=1");
  expect(link?.getAttribute("rel")).toContain("noopener");
  expect(document.querySelector(".line-text")?.textContent).toContain(
    ". <b>http://x</b> javascript:alert(1)",
  );
});

it("marks a mention of oneself, and what was edited, deleted or private", () => {
  const me = { user: "u1", name: "Ben" };
  open({
    chat: [
      line({ text: "ask @Ben, not @Benno", mentions: [me], editedAt: 5 }),
      line({ id: "2", text: "", deleted: true }),
      line({ id: "3", to: me }),
    ],
  });
  const [mention, deleted, own] = [...document.querySelectorAll(".line")];
  expect(mention?.querySelector("mark")?.textContent).toBe("@Ben");
  expect(mention?.textContent).toContain("mentions you");
  expect(mention?.textContent).toContain("edited");
  expect(deleted?.textContent).toContain("This message was deleted.");
  expect(deleted?.querySelector("button")).toBeNull();
  expect(own?.textContent).toContain("to you alone");
});

it("answers a line, to whom it was private, and mentions whom one names", async () => {
  const user = userEvent.setup();
  const people = [
    { id: "me", user: "u1", name: "Ben" },
    { id: "ann", user: "u2", name: "Ann Lee" },
  ] as Participant[];
  open({ participants: people, chat: [line({ id: "7", to: { user: "u1", name: "Ben" } })] });
  await user.click(screen.getByText("More"));
  await user.click(screen.getByRole("button", { name: "Reply" }));
  await user.type(screen.getByRole("textbox"), "yes @an");
  await user.click(screen.getByRole("button", { name: "@Ann Lee" }));
  await user.keyboard("{Enter}");
  const about = { replyTo: "7", to: "u2", mentions: ["u2"] };
  expect(chat.say).toHaveBeenCalledWith("yes @Ann Lee", about);
  expect(chat.types).not.toHaveBeenCalled();
});

it("changes an own line, deletes it when one is sure, and leaves those of others alone", async () => {
  const user = userEvent.setup();
  open({ chat: [line({ id: "1" }), line({ id: "2", user: "u1", text: "mine" })] });
  const [others, own] = screen.getAllByText("More");
  if (others === undefined || own === undefined) throw new Error("each line has its more");
  await user.click(others);
  expect(screen.queryAllByRole("button", { name: "Delete" })).toHaveLength(1);
  await user.click(own);
  await user.click(screen.getByRole("button", { name: "Edit" }));
  await user.type(screen.getByRole("textbox"), "!{Enter}");
  expect(chat.edit).toHaveBeenCalledWith("2", "mine!");
  await user.click(screen.getByRole("button", { name: "Delete" }));
  expect(chat.remove).not.toHaveBeenCalled();
  await user.click(screen.getByRole("button", { name: "Yes, delete" }));
  expect(chat.remove).toHaveBeenCalledWith("2");
});

it("counts what others feel, and lets one feel so too", async () => {
  const user = userEvent.setup();
  open({ chat: [line({ reactions: [{ reaction: "heart", count: 3, mine: true }] })] });
  await user.click(screen.getByRole("button", { name: "Heart, 3" }));
  expect(chat.react).toHaveBeenCalledWith("1", "heart", false);
});

it("offers what is before, and says where it has gone", async () => {
  const user = userEvent.setup();
  open({ chat: [line({ id: "5" })], earlier: "some" });
  await user.click(screen.getByRole("button", { name: "Show earlier" }));
  expect(chat.showEarlier).toHaveBeenCalledOnce();
  cleanup();
  open({ chat: [line({ id: "5" })], earlier: "gone" });
  expect(screen.getByText("Earlier messages are not kept any more.")).toBeTruthy();
});

it("says who types", () => {
  open({ participants: [{ id: "ann", name: "Ann" } as Participant], typing: ["ann"] });
  expect(document.querySelector(".typing")?.textContent).toBe("Ann is typing");
});

it("tells up to which line somebody has read who sees the end of them", () => {
  open({ chat: [line({}), line({ id: "7" })] });
  expect(upTo.mock.calls).toEqual([["7"]]);
});
