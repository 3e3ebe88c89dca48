// The notes' field: what others write comes in without moving the caret, and what one writes goes out, also where it comes to the
// same text as before.
import type { Call, CallState } from "@connect/sdk/call";
import { act, cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { NotesPanel } from "./NotesPanel.tsx";

type Listener = (changes: readonly { at: number; removed: number; inserted: string }[] | null) => void;
let tell: Listener;
const deeds = {
  write: vi.fn(),
  undo: vi.fn(),
  redo: vi.fn(),
  hold: vi.fn(),
  release: vi.fn(),
  point: vi.fn(),
  close: vi.fn(),
  dismiss: vi.fn(),
};
beforeEach(() => vi.clearAllMocks());
afterEach(cleanup);

const people = (role: string, notes = "everybody") =>
  ({
    you: "me",
    settings: { notes },
    participants: [
      { id: "me", name: "Me", role },
      { id: "ann", name: "Ann" },
    ],
  }) as unknown as CallState;

async function show(state: CallState, fields: object = {}) {
  open(state, fields);
  return (await screen.findByRole("textbox", { name: "Shared notes" })) as HTMLTextAreaElement;
}

function open(state: CallState, fields: object) {
  const shown = {
    open: true,
    saved: true,
    lines: new Map([["ann", 3]]),
    absent: false,
    untaken: null,
    ...fields,
  };
  const notes = {
    ...deeds,
    text: "Tea",
    state: { get: () => shown, subscribe: () => () => {} },
    listen: (listener: Listener) => {
      tell = listener;
      return () => {};
    },
  };
  const call = { notes: { open: () => Promise.resolve(notes) } } as unknown as Call;
  render(<NotesPanel call={call} state={state} />);
}

it("keeps the caret where it is in the text while others write", async () => {
  const field = await show(people("speaker"));
  expect(field.value).toBe("Tea");
  field.setSelectionRange(1, 1);
  act(() => tell([{ at: 0, removed: 0, inserted: "Green " }]));
  expect([field.value, field.selectionStart]).toEqual(["Green Tea", 7]);
  act(() => tell([{ at: 9, removed: 0, inserted: "!" }]));
  expect([field.value, field.selectionStart]).toEqual(["Green Tea!", 7]);
  screen.getByText(/Ann.*: line 3/);
});

it("hears what one writes, also when it undoes by hand what another wrote", async () => {
  const user = userEvent.setup();
  const field = await show(people("speaker"));
  await user.click(field);
  act(() => tell([{ at: 3, removed: 0, inserted: "s" }]));
  field.setSelectionRange(4, 4);
  await user.keyboard("{Backspace}");
  expect(deeds.write).toHaveBeenLastCalledWith("Tea", 3);
  await user.keyboard("{Control>}z{/Control}{Control>}{Shift>}z{/Shift}{/Control}");
  expect([deeds.undo.mock.calls.length, deeds.redo.mock.calls.length]).toEqual([1, 1]);
});

it.each([
  ["viewer", "everybody", true],
  ["speaker", "moderators", true],
  ["moderator", "moderators", false],
  ["guest", "everybody", false],
])("lets a %s write where %s may: read only is %s", async (role, notes, readOnly) => {
  expect((await show(people(role, notes))).readOnly).toBe(readOnly);
});

it("says what was not taken, and shows it", async () => {
  const user = userEvent.setup();
  await show(people("speaker"), {
    saved: false,
    untaken: { text: "Tea and more", why: "The notes are full." },
  });
  expect(screen.getByRole("status").textContent).toBe("Not saved yet.");
  screen.getByText("What you wrote last was not taken: The notes are full.");
  await user.click(screen.getByRole("button", { name: "Not needed" }));
  expect(deeds.dismiss).toHaveBeenCalledOnce();
});

it("says that there are none where the room knows of none", async () => {
  open(people("speaker"), { open: false, absent: true });
  await screen.findByText(/There are no notes in this room/);
  expect(screen.queryByRole("textbox")).toBeNull();
});
