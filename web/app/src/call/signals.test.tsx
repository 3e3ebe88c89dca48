// Raised hands, reactions and the spotlight: what everybody sees, and what who keeps order may do about it.
import type { Participant } from "@connect/sdk";
import type { Call, CallState } from "@connect/sdk/call";
import { cleanup, render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { HandsList, HandToggle } from "./Hands.tsx";
import { ReactionMenu, ShownReactions } from "./Reactions.tsx";
import { SpotlightToggle } from "./SpotlightToggle.tsx";

const deeds = { raise: vi.fn(), lower: vi.fn(), lowerAll: vi.fn(), show: vi.fn(), set: vi.fn() };
beforeEach(() => vi.clearAllMocks());
afterEach(cleanup);

const readable = <T,>(value: T) => ({ get: () => value, subscribe: () => () => {} });
const people = (role: Participant["role"]) =>
  ({
    you: "me",
    participants: [
      { id: "me", name: "Me", role },
      { id: "ann", name: "Ann" },
      { id: "bob", name: "Bob" },
    ],
  }) as unknown as CallState;
function callWith(hands: string[]) {
  const shown = [{ id: 1, participant: "ann", reaction: "clap" }];
  return {
    hands: { ...deeds, state: readable(hands) },
    reactions: { ...deeds, state: readable(shown) },
    spotlight: { ...deeds, state: readable(["ann"]) },
  } as unknown as Call;
}

it("shows the hands in their order, and lets everybody lower their own", async () => {
  const user = userEvent.setup();
  render(<HandsList call={callWith(["bob", "me"])} state={people("speaker")} />);
  const list = within(screen.getByRole("region", { name: "Raised hands" }));
  expect(list.getAllByRole("listitem").map(({ textContent }) => textContent)).toEqual(["Bob", "MeLower"]);
  await user.click(list.getByRole("button"));
  expect(deeds.lower.mock.calls).toEqual([["me"]]);
});

it("lets who keeps order lower one or all", async () => {
  const user = userEvent.setup();
  render(<HandsList call={callWith(["bob", "ann"])} state={people("moderator")} />);
  await user.click(screen.getByRole("button", { name: /^Lower the hand of .*Ann/ }));
  await user.click(screen.getByRole("button", { name: "Lower all hands" }));
  expect(deeds.lower.mock.calls).toEqual([["ann"]]);
  expect(deeds.lowerAll).toHaveBeenCalledOnce();
});

it.each([[[], deeds.raise] as const, [["me"], deeds.lower] as const])(
  "raises and lowers the own hand: %o",
  async (hands, done) => {
    const user = userEvent.setup();
    render(<HandToggle call={callWith([...hands])} state={people("viewer")} />);
    await user.click(screen.getByRole("button", { name: "Raise hand" }));
    expect(done).toHaveBeenCalledOnce();
  },
);

it("shows reactions with who they are of, and sends what one chooses", async () => {
  const user = userEvent.setup();
  const call = callWith([]);
  render(
    <>
      <ReactionMenu call={call} />
      <ShownReactions call={call} state={people("viewer")} />
    </>,
  );
  const list = within(screen.getByRole("list", { name: "Reactions" }));
  expect(list.getByRole("img", { name: "Applause" })).toBeTruthy();
  expect(list.getByText("Ann")).toBeTruthy();
  await user.click(screen.getByLabelText("React"));
  await user.click(screen.getByRole("button", { name: "Heart" }));
  expect(deeds.show.mock.calls).toEqual([["heart"]]);
});

it("takes somebody out of the spotlight who is in it", async () => {
  const user = userEvent.setup();
  const [, ann] = people("host").participants;
  render(<SpotlightToggle call={callWith([])} person={ann as Participant} />);
  const button = screen.getByRole("button", { name: /Spotlight .*Ann.* for everybody/ });
  expect(button.getAttribute("aria-pressed")).toBe("true");
  await user.click(button);
  expect(deeds.set.mock.calls).toEqual([["ann", false]]);
});
