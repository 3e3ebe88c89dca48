// Single sign-on on the pages to sign in and up: one is offered what there is, comes back to where one was, and is told what failed.
import { cleanup, render, screen, waitFor } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { App } from "../App.tsx";
import { ApiContext } from "../api-context.ts";
import { apiWith } from "../test-api.ts";

const WAYS = { "GET /api/auth/ways": [200, { providers: [{ id: "acme", name: "Acme" }] }] } as const;
const ANONYMOUS = { "POST /api/auth/refresh": [204] } as const;

afterEach(cleanup);

function open(address: string, answers = {}) {
  history.replaceState(null, "", address);
  const { api, asked } = apiWith({ ...ANONYMOUS, ...answers });
  render(
    <ApiContext value={api}>
      <App />
    </ApiContext>,
  );
  return asked;
}

test.each(["/login", "/register"])(
  "%s leads to the providers that there are, and back to where one was",
  async (page) => {
    open(page, WAYS);
    const link = await screen.findByRole("link", { name: "Continue with Acme" });
    expect(link.getAttribute("href")).toBe("/api/auth/sso/acme/start?return=%2F");
  },
);

test("without providers nothing is offered", async () => {
  const asked = open("/login", { "GET /api/auth/ways": [200, { providers: [] }] });
  await waitFor(() => expect(asked.map(({ path }) => path)).toContain("GET /api/auth/ways"));
  await screen.findByRole("button", { name: "Sign in" });
  expect(screen.queryByRole("region", { name: "Other ways to sign in" })).toBeNull();
});

test.each([
  ["denied", /not completed there/],
  ["something-new", /try again/],
])(
  "what failed at the provider is said (%s), and the way on leads where one wanted to be",
  async (failed, words) => {
    open(`/login?failed=${failed}&return=${encodeURIComponent("/call/abc?x=1")}`, WAYS);
    expect((await screen.findByRole("alert")).textContent).toMatch(words);
    const link = await screen.findByRole("link", { name: "Continue with Acme" });
    expect(link.getAttribute("href")).toBe("/api/auth/sso/acme/start?return=%2Fcall%2Fabc%3Fx%3D1");
  },
);

test.each(["//evil.example", "/\\evil.example", "https://evil.example"])(
  "nobody is led on to %s",
  async (address) => {
    open(`/login?failed=denied&return=${encodeURIComponent(address)}`, WAYS);
    const link = await screen.findByRole("link", { name: "Continue with Acme" });
    expect(link.getAttribute("href")).toBe("/api/auth/sso/acme/start?return=%2F");
  },
);
