// The page for developers: a key is shown once, a webhook says why it is disabled and what was sent to it.
import { cleanup, render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, it } from "vitest";
import { App } from "../App.tsx";
import { ApiContext } from "../api-context.ts";
import { type Answers, apiWith, problem, SESSION } from "../test-api.ts";

const KEY = { id: "k1", name: "Backend", scopes: ["rooms:read"], createdAt: 1, lastUsedAt: null };
const HOOK = {
  id: "w1",
  url: "https://example.com/hook",
  events: ["room.started"],
  createdAt: 1,
  failingSince: null,
  disabled: null,
};

function open(answers: Answers) {
  history.replaceState(null, "", "/developers");
  const all = {
    "POST /api/auth/refresh": [200, SESSION],
    "GET /api/v1/keys": [200, { keys: [] }],
    "GET /api/v1/webhooks": [200, { webhooks: [] }],
    ...answers,
  } as const;
  const { api, asked } = apiWith(all);
  render(
    <ApiContext value={api}>
      <App />
    </ApiContext>,
  );
  return { user: userEvent.setup(), asked };
}

afterEach(cleanup);

it("makes a key with the scopes that are chosen, and shows it until it was taken along", async () => {
  const { user, asked } = open({ "POST /api/v1/keys": [201, { ...KEY, secret: "connect_u1.k1.hidden" }] });
  const make = await screen.findByRole("button", { name: "Make a key" });
  expect(make).toHaveProperty("disabled", true);
  await user.type(screen.getByLabelText("What the new key is for"), "Backend");
  await user.click(screen.getByLabelText("See your rooms, and who is in them"));
  await user.click(make);
  await screen.findByText("connect_u1.k1.hidden");
  const sent = asked.find(({ path }) => path === "POST /api/v1/keys");
  expect(sent?.body).toEqual({ name: "Backend", scopes: ["rooms:read"] });
  await user.click(screen.getByRole("button", { name: "Done" }));
  expect(screen.queryByText("connect_u1.k1.hidden")).toBeNull();
});

it("revokes a key, and says when that fails", async () => {
  const { user } = open({
    "GET /api/v1/keys": [200, { keys: [KEY] }],
    "DELETE /api/v1/keys/k1": problem(500, "a fault of ours: try again"),
  });
  await user.click(await screen.findByRole("button", { name: "Revoke Backend" }));
  expect((await screen.findByRole("alert")).textContent).toContain("That did not work");
});

it("says why a webhook is disabled, enables it, and shows what was sent", async () => {
  const delivery = {
    id: "msg_1",
    event: "room.started",
    at: 1,
    state: "givenUp",
    tries: 11,
    due: null,
    status: 500,
    error: "it answered 500",
  };
  const { user, asked } = open({
    "GET /api/v1/webhooks": [200, { webhooks: [{ ...HOOK, disabled: "it took nothing for three days" }] }],
    "GET /api/v1/webhooks/w1/deliveries": [200, { deliveries: [delivery] }],
    "PATCH /api/v1/webhooks/w1": [200, HOOK],
  });
  const hooks = within(await screen.findByRole("region", { name: "Webhooks" }));
  await hooks.findByText("Disabled: it took nothing for three days");
  await user.click(hooks.getByText("What was sent"));
  await user.click(hooks.getByRole("button", { name: "Look again" }));
  await hooks.findByText("it answered 500");
  await user.click(hooks.getByRole("button", { name: "Enable" }));
  expect(asked.find(({ path }) => path.startsWith("PATCH"))?.body).toEqual({ enabled: true });
});
