// The door of a room, where one guest makes way for another at the same browser.
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, it } from "vitest";
import { ApiContext } from "../api-context.ts";
import { apiWith, problem } from "../test-api.ts";
import { Door } from "./Door.tsx";

afterEach(() => {
  cleanup();
  sessionStorage.clear();
  localStorage.clear();
});

const COME = "POST /api/rooms/r/guests";

/** The door as a page shows it that was just opened, and with what bodies people came by it. */
async function open() {
  const { api, asked } = apiWith({
    "POST /api/auth/refresh": problem(401, "No session."),
    "GET /api/rooms/r/door": [200, { name: "Stand-up", guests: true }],
    [COME]: [201, { token: "g", expiresIn: 43_200, user: "guest-1", name: "Gil" }],
  });
  await api.restore().catch(() => {});
  const { unmount } = render(
    <ApiContext value={api}>
      <Door room="r">
        {({ rename }) => (
          <button type="button" onClick={rename}>
            Another
          </button>
        )}
      </Door>
    </ApiContext>,
  );
  const bodies = () => asked.filter(({ path }) => path === COME).map(({ body }) => body);
  return { bodies, unmount };
}

async function comeAs(name: string) {
  const user = userEvent.setup();
  await user.type(await screen.findByLabelText("Your name"), name);
  await user.click(screen.getByRole("button", { name: "Join as guest" }));
  return await screen.findByRole("button", { name: "Another" });
}

it("lets the next one come as somebody else, under whatever name", async () => {
  const { bodies } = await open();
  for (const name of ["Gil", "Gil"]) await userEvent.click(await comeAs(name));
  await comeAs("Flo");
  expect(bodies().slice(1)).toEqual([
    { name: "Gil", fresh: true },
    { name: "Flo", fresh: true },
  ]);
});

it("takes who gives another name in a new tab for somebody else, and who gives the same for who was there", async () => {
  const first = await open();
  await comeAs("Gil");
  first.unmount();
  // The tab was closed.
  sessionStorage.clear();
  const second = await open();
  await comeAs("Flo");
  second.unmount();
  const reloaded = await open();
  await screen.findByRole("button", { name: "Another" });
  reloaded.unmount();
  sessionStorage.clear();
  const third = await open();
  await comeAs("Flo");
  expect(second.bodies()).toEqual([{ name: "Flo", fresh: true }]);
  expect(reloaded.bodies()).toEqual([{ name: "Flo" }]);
  expect(third.bodies()).toEqual([{ name: "Flo" }]);
});
