// One's own account, and the links in its mails, as a person uses them.
import { cleanup, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, it } from "vitest";
import { App } from "../App.tsx";
import { ApiContext } from "../api-context.ts";
import { ANN, type Answers, apiWith, problem, SESSION } from "../test-api.ts";

const SESSIONS = [
  { id: "s1", usedAt: 2, createdAt: 1, browser: "Firefox on Linux", current: true },
  { id: "s2", usedAt: 1, browser: "Chrome on Windows", current: false },
];
const SIGNED_IN: Answers = {
  "POST /api/auth/refresh": [200, SESSION],
  "GET /api/account": [200, { ...ANN, hasPassword: true, mail: true }],
  "GET /api/account/sessions": [200, { sessions: SESSIONS }],
};

function open(path: string, answers: Answers) {
  history.replaceState(null, "", path);
  const { api, asked } = apiWith(answers);
  render(
    <ApiContext value={api}>
      <App />
    </ApiContext>,
  );
  return { asked, user: userEvent.setup() };
}

afterEach(cleanup);

describe("the account's page", () => {
  it("lists the sessions, and ends one or all others", async () => {
    const { asked, user } = open("/account", {
      ...SIGNED_IN,
      "DELETE /api/account/sessions/s2": [204],
      "DELETE /api/account/sessions": [204],
    });
    const own = (await screen.findByText("Firefox on Linux")).closest("li") as HTMLElement;
    expect(own.textContent).toContain("This browser");
    expect(within(own).queryByRole("button")).toBeNull();
    await user.click(screen.getByRole("button", { name: /^Sign out Chrome on Windows/ }));
    await waitFor(() =>
      expect(asked).toContainEqual({ path: "DELETE /api/account/sessions/s2", body: undefined }),
    );
    await user.click(screen.getByRole("button", { name: "Sign out everywhere else" }));
    await waitFor(() =>
      expect(asked).toContainEqual({ path: "DELETE /api/account/sessions", body: undefined }),
    );
  });

  it("changes the password, and says at its field that the one of now is wrong", async () => {
    const path = "POST /api/account/password";
    const wrong = [{ field: "password", message: "this is not the account's password" }];
    const { asked, user } = open("/account", { ...SIGNED_IN, [path]: problem(403, "wrong", wrong) });
    await user.type(await screen.findByLabelText("Password of now"), "password123");
    await user.type(screen.getByLabelText("New password"), "another password{Enter}");
    await screen.findByText("This is not the account's password.");
    expect(screen.getByLabelText("Password of now").getAttribute("aria-invalid")).toBe("true");
    expect(asked).toContainEqual({
      path,
      body: { password: "password123", newPassword: "another password" },
    });
  });

  it("has a mail sent that confirms the address", async () => {
    const { user } = open("/account", { ...SIGNED_IN, "POST /api/account/verification": [204] });
    await user.click(await screen.findByRole("button", { name: "Send me a mail to confirm it" }));
    await screen.findByText("A mail with a link is on its way.");
  });

  it("deletes the account once asked for the password, and nobody is signed in", async () => {
    const path = "POST /api/account/deletion";
    const { asked, user } = open("/account", { ...SIGNED_IN, [path]: [204] });
    await user.click(await screen.findByRole("button", { name: "Delete my account" }));
    await user.type(screen.getByLabelText("Your password"), "password123");
    await user.click(screen.getByRole("button", { name: "Delete for good" }));
    await screen.findByRole("heading", { name: "Welcome back" });
    expect(asked).toContainEqual({ path, body: { password: "password123" } });
  });
});

describe("a link in a mail", () => {
  const NOBODY: Answers = { "POST /api/auth/refresh": [204] };

  it("is asked for by who forgot the password", async () => {
    const { asked, user } = open("/login", { ...NOBODY, "POST /api/auth/reset": [204] });
    await user.click(await screen.findByRole("link", { name: "Forgot your password?" }));
    await user.type(await screen.findByLabelText("Email"), "ann@example.com{Enter}");
    await screen.findByRole("heading", { name: "Look into your mail" });
    expect(asked).toContainEqual({ path: "POST /api/auth/reset", body: { email: "ann@example.com" } });
  });

  it("leads to a new password, and its token leaves the address", async () => {
    const path = "POST /api/auth/reset/confirm";
    const { asked, user } = open("/reset#u1.signed", { ...NOBODY, [path]: [204] });
    await user.type(await screen.findByLabelText("New password"), "another password{Enter}");
    await screen.findByRole("heading", { name: "You have a new password" });
    expect(asked).toContainEqual({ path, body: { token: "u1.signed", password: "another password" } });
    expect(location.hash).toBe("");
  });

  it("confirms an address by a click, or says why not", async () => {
    const path = "POST /api/auth/verify";
    const { asked, user } = open("/verify#u1.signed", {
      ...NOBODY,
      [path]: problem(403, "this link was used"),
    });
    expect(asked.some((request) => request.path === path)).toBe(false);
    await user.click(await screen.findByRole("button", { name: "Confirm" }));
    await screen.findByText("This link was used.");
    cleanup();
    const again = open("/verify#u1.signed", { ...NOBODY, [path]: [204] });
    await again.user.click(await screen.findByRole("button", { name: "Confirm" }));
    await screen.findByRole("heading", { name: "Your address is confirmed" });
  });
});
