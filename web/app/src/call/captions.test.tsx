// Captions: shown while they are said, heard when they are said to their end, and fed by who may.
import type { Call, CallState } from "@connect/sdk/call";
import { cleanup, render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { ShownCaptions } from "./Captions.tsx";
import { CaptionsPanel } from "./CaptionsPanel.tsx";

const deeds = {
  show: vi.fn(),
  choose: vi.fn(),
  feed: vi.fn(),
  recognize: vi.fn(),
  stopRecognizing: vi.fn(),
};
beforeEach(() => vi.clearAllMocks());
afterEach(cleanup);

const state = (captions = true) =>
  ({
    you: "me",
    caps: { captions },
    participants: [
      { id: "me", name: "Me" },
      { id: "ann", name: "Ann" },
      { id: "bob", name: "Bob" },
    ],
  }) as unknown as CallState;
const line = (fields: object) => ({
  by: "ann",
  id: 1,
  speaker: null,
  language: "en",
  final: true,
  ...fields,
});
function call(fields: object) {
  const shown = {
    on: true,
    language: null,
    languages: ["de", "en"],
    lines: [],
    refused: null,
    recognition: { name: "none" },
    ...fields,
  };
  return {
    captions: { ...deeds, state: { get: () => shown, subscribe: () => () => {} } },
  } as unknown as Call;
}

it("shows what is said, and reads out what is said to its end", () => {
  const lines = [
    line({ id: 1, text: "Good morning." }),
    line({ id: 2, text: "Guten", language: "de", final: false, by: "bob", speaker: "ann" }),
  ];
  const { container } = render(<ShownCaptions call={call({ lines })} state={state()} />);
  const shown = [...container.querySelectorAll(".captions p")].map((p) => [
    p.getAttribute("lang"),
    p.textContent?.replaceAll(/[⁨⁩]/g, ""),
  ]);
  expect(shown).toEqual([
    ["en", "Ann: Good morning."],
    ["de", "Ann (written by Bob): Guten"],
  ]);
  const log = within(screen.getByRole("log", { name: "Captions" }));
  expect(log.getByText(/Good morning/)).toBeTruthy();
  expect(log.queryByText(/Guten/)).toBeNull();
});

it("says that the others are not shown what one feeds", () => {
  render(<CaptionsPanel call={call({ refused: "tooMuch" })} state={state()} />);
  expect(screen.getByRole("status").textContent).toContain("too much at once");
});

it("shows nothing while they are off", () => {
  const { container } = render(<ShownCaptions call={call({ on: false })} state={state()} />);
  expect(container.textContent).toBe("");
});

it("turns them on, and chooses among the languages that are fed", async () => {
  const user = userEvent.setup();
  render(<CaptionsPanel call={call({ on: false })} state={state()} />);
  await user.click(screen.getByRole("checkbox", { name: "Show captions" }));
  expect(deeds.show).toHaveBeenCalledWith(true);
  await user.selectOptions(screen.getByRole("combobox", { name: "Language" }), "de");
  expect(deeds.choose).toHaveBeenCalledWith("de");
});

it("feeds what a captioner types, under whose name it is said", async () => {
  const user = userEvent.setup();
  render(<CaptionsPanel call={call({})} state={state()} />);
  const language = screen.getByRole("textbox", { name: /^Language/ });
  await user.clear(language);
  await user.type(language, "pt-BR");
  await user.selectOptions(screen.getByRole("combobox", { name: "Who says what I type" }), "bob");
  await user.type(screen.getByRole("textbox", { name: "Caption" }), "Bom dia{Enter}");
  expect(deeds.feed.mock.calls).toEqual([[{ text: "Bom dia", language: "pt-BR", speaker: "bob" }]]);
});

it("says where the sound goes before the browser hears anything", async () => {
  const user = userEvent.setup();
  render(<CaptionsPanel call={call({ recognition: { name: "off", problem: null } })} state={state()} />);
  screen.getByText(/may send the sound of your microphone to its maker/);
  expect(deeds.recognize).not.toHaveBeenCalled();
  await user.click(screen.getByRole("checkbox", { name: "Caption what I say" }));
  expect(deeds.recognize).toHaveBeenCalledOnce();
});

it("tells who may not feed so", () => {
  render(<CaptionsPanel call={call({})} state={state(false)} />);
  screen.getByText("You cannot feed captions here.");
  expect(screen.queryByRole("textbox", { name: "Caption" })).toBeNull();
});
