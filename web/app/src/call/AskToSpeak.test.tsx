// The stage of a webinar on the page: a viewer asks, who keeps order answers, and each sees what has become of them.
import type { Participant } from "@connect/sdk";
import type { Call, CallState, StageState } from "@connect/sdk/call";
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { AskingList, AskToSpeak, StageBanners } from "./AskToSpeak.tsx";

const deeds = { ask: vi.fn(), withdraw: vi.fn(), bring: vi.fn(), refuse: vi.fn(), dismiss: vi.fn() };
const turn = vi.fn();
beforeEach(() => vi.clearAllMocks());
afterEach(cleanup);

function callWith(stage: Partial<StageState>): Call {
  const value = { asking: [], news: null, ...stage };
  const state = { get: () => value, subscribe: () => () => {} };
  return { stage: { ...deeds, state }, local: { turn } } as unknown as Call;
}
const people = (role: Participant["role"]) =>
  ({
    you: "me",
    participants: [
      { id: "me", name: "Me", role },
      { id: "ann", name: "Ann" },
      { id: "bob", name: "Bob" },
    ],
  }) as unknown as CallState;

it.each([[[], deeds.ask] as const, [["me"], deeds.withdraw] as const])(
  "asks, and takes it back: %o",
  async (asking, done) => {
    render(<AskToSpeak call={callWith({ asking })} state={people("viewer")} />);
    await userEvent.setup().click(screen.getByRole("button", { name: "Ask to speak" }));
    expect(done).toHaveBeenCalledOnce();
  },
);

it("shows who asks in their order, and brings or refuses them", async () => {
  const user = userEvent.setup();
  render(<AskingList call={callWith({ asking: ["bob", "gone", "ann"] })} state={people("moderator")} />);
  const names = screen.getAllByRole("listitem").map(({ textContent }) => textContent);
  expect(names).toEqual(["BobBring on stageRefuse", "AnnBring on stageRefuse"]);
  await user.click(screen.getByRole("button", { name: /^Bring on stage: .*Ann/ }));
  await user.click(screen.getByRole("button", { name: /^Refuse .*Bob/ }));
  await user.click(screen.getByRole("button", { name: "Refuse all" }));
  expect([deeds.bring.mock.calls, deeds.refuse.mock.calls]).toEqual([[["ann"]], [["bob"], []]]);
});

it("tells who keeps order alone that somebody asks", () => {
  const call = callWith({ asking: ["bob", "ann"] });
  const { container, rerender } = render(<StageBanners call={call} state={people("speaker")} />);
  expect(container.textContent).toBe("");
  rerender(<StageBanners call={call} state={people("host")} />);
  expect(container.textContent).toContain("Bob and 1 more ask to speak");
});

it("tells who is on stage, and turns both devices on if they wish", async () => {
  render(<StageBanners call={callWith({ news: "onStage" })} state={people("speaker")} />);
  expect(screen.getByText("You are on stage.")).toBeTruthy();
  await userEvent.setup().click(screen.getByRole("button", { name: "Turn both on" }));
  expect(turn.mock.calls).toEqual([
    ["microphone", true],
    ["camera", true],
  ]);
  expect(deeds.dismiss).toHaveBeenCalledOnce();
});

it.each([
  ["viewer", /You are a viewer again/],
  ["refused", /You were not brought on stage/],
] as const)("tells %s", async (news, words) => {
  render(<StageBanners call={callWith({ news })} state={people("viewer")} />);
  expect(screen.getByText(words)).toBeTruthy();
  await userEvent.setup().click(screen.getByRole("button", { name: "OK" }));
  expect(deeds.dismiss).toHaveBeenCalledOnce();
});
