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
});

it("lets the next one come as somebody else", async () => {
  const come = "POST /api/rooms/r/guests";
  const { api, asked } = apiWith({
    "POST /api/auth/refresh": problem(401, "No session."),
    "GET /api/rooms/r/door": [200, { name: "Stand-up", guests: true }],
    [come]: [201, { token: "g", expiresIn: 43_200, user: "guest-1", name: "Gil" }],
  });
  await api.restore().catch(() => {});
  const user = userEvent.setup();
  render(
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
  for (const name of ["Gil", "Flo"]) {
    await user.type(await screen.findByLabelText("Your name"), name);
    await user.click(screen.getByRole("button", { name: "Join as guest" }));
    await user.click(await screen.findByRole("button", { name: "Another" }));
  }
  const bodies = asked.filter(({ path }) => path === come).map(({ body }) => body);
  expect(bodies).toEqual([{ name: "Gil" }, { name: "Flo", fresh: true }]);
});
