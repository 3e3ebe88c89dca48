// The audit list on the page: loaded when it is opened, by pages.
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, it } from "vitest";
import { ApiContext } from "../api-context.ts";
import { apiWith, SESSION } from "../test-api.ts";
import { AuditList, deedWords } from "./AuditList.tsx";

afterEach(cleanup);

const by = { participant: "p1", user: "u1", name: "Ada" };
const on = { participant: "p2", user: "u2", name: "Ben" };

it("shows who did what to whom, and earlier pages when asked", async () => {
  const page = { entries: [{ number: 51, at: 5, by, on, deed: { type: "removed" } }], before: 51 };
  const earlier = {
    entries: [{ number: 1, at: 1, by, on: null, deed: { type: "mutedAll", mute: "hard" } }],
    before: null,
  };
  const { api } = apiWith({
    "POST /api/auth/refresh": [200, SESSION],
    "GET /api/rooms/r/audit": [200, page],
    "GET /api/rooms/r/audit?before=51": [200, earlier],
  } as unknown as Parameters<typeof apiWith>[0]);
  render(
    <ApiContext value={api}>
      <AuditList room="r" />
    </ApiContext>,
  );
  await userEvent.setup().click(screen.getByText("What was done"));
  const removed = await screen.findByText(/removed/);
  expect(removed.textContent).toContain("Ada removed: Ben");
  await userEvent.setup().click(screen.getByRole("button", { name: "Show earlier ones" }));
  expect((await screen.findByText(/forbade all to speak/)).textContent).toContain("Ada");
  expect(screen.queryByRole("button")).toBeNull();
});

it("names a deed of a newer release", () => {
  expect(deedWords({ type: "tickled" } as never)).toBe("did “tickled”");
  expect(deedWords({ type: "caps", change: { audio: false, maxLayer: null } })).toBe(
    "changed what may be sent (audio: false, maxLayer: no limit)",
  );
});
