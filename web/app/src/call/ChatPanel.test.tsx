// The chat: whose lines they are, which way they run, and what becomes of a line that did not go.
import type { ChatMessage, Participant } from "@connect/sdk";
import type { Call, CallState } from "@connect/sdk/call";
import { cleanup, render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, it, vi } from "vitest";
import { ChatPanel } from "./ChatPanel.tsx";

afterEach(cleanup);

const call = { chat: vi.fn(), retryLine: vi.fn(), dropLine: vi.fn() };
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
  expect(call.retryLine).toHaveBeenCalledWith("a");
  await user.click(log.getByRole("button", { name: "Delete" }));
  expect(call.dropLine).toHaveBeenCalledWith("a");
});

it("says that a line waits while there is no connection", () => {
  open({
    status: { name: "reconnecting", pauseMs: 0 },
    outbox: [{ nonce: "b", text: "two", refused: null }],
  });
  expect(screen.getByText("Waits for the connection")).toBeTruthy();
});
