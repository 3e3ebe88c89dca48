// The menu of the rarer controls: opened by a button, closed by a choice, by Escape, or by a press elsewhere.
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, it } from "vitest";
import { More } from "./More.tsx";
import { useOpening } from "./use-opening.ts";

afterEach(cleanup);

function Inner() {
  const { open, around, button, toggle, onKeyDown } = useOpening();
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: as the choices in it are.
    <div ref={around} onKeyDown={onKeyDown}>
      <button ref={button} type="button" aria-expanded={open} onClick={toggle}>
        React
      </button>
    </div>
  );
}

function shown(badge = 0) {
  render(
    <>
      <More badge={badge}>
        <button type="button">Polls</button>
        <Inner />
      </More>
      <p>The pictures</p>
    </>,
  );
  return userEvent.setup();
}
const button = (name: string) => screen.getByRole("button", { name });
const isOpen = (name: string) => button(name).getAttribute("aria-expanded") === "true";

it("closes with a choice, and keeps the focus in reach", async () => {
  const user = shown();
  await user.click(button("More"));
  expect(isOpen("More")).toBe(true);
  await user.click(button("Polls"));
  expect(isOpen("More")).toBe(false);
  expect(document.activeElement).toBe(button("More"));
});

it("stays open for what opens further choices, and closes one after the other by Escape", async () => {
  const user = shown();
  button("More").focus();
  await user.keyboard("{Enter}");
  await user.click(button("React"));
  expect([isOpen("More"), isOpen("React")]).toEqual([true, true]);
  await user.keyboard("{Escape}");
  expect([isOpen("More"), isOpen("React")]).toEqual([true, false]);
  await user.keyboard("{Escape}");
  expect(isOpen("More")).toBe(false);
  expect(document.activeElement).toBe(button("More"));
});

it("closes when one presses elsewhere", async () => {
  const user = shown();
  await user.click(button("More"));
  await user.click(screen.getByText("The pictures"));
  expect(isOpen("More")).toBe(false);
});

it("takes no focus while it is closed: where there is space, what is in it stands beside it", async () => {
  const user = shown();
  await user.click(button("Polls"));
  expect(document.activeElement).toBe(button("Polls"));
});

it("says how much is new in it", () => {
  shown(2);
  expect(button("More").dataset.badge).toBe("2");
});
