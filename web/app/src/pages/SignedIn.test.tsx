// What becomes of a page when its session ends: elsewhere, by time, or by another account.
import { act, cleanup, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, it, vi } from "vitest";
import { App } from "../App.tsx";
import { ApiContext } from "../api-context.ts";
import { navigate } from "../router.tsx";
import { ANN, type Answers, apiWith, problem, SESSION } from "../test-api.ts";

// A call needs a browser. What stands in for it asks for an account where the page of a call does.
const { disposed } = vi.hoisted(() => ({ disposed: vi.fn() }));
vi.mock("../call/CallPage.tsx", async () => {
  const { useEffect, useState } = await import("react");
  const { SessionBanner } = await import("../call/SessionBanner.tsx");
  const { SignedIn } = await import("./SignedIn.tsx");
  return {
    default: function StandIn({ room }: { room: string }) {
      const [inCall, setInCall] = useState(false);
      useEffect(() => disposed, []);
      const button = (
        <button type="button" onClick={() => setInCall(!inCall)}>
          {inCall ? "Leave" : "Join"}
        </button>
      );
      if (!inCall) return <SignedIn>{() => button}</SignedIn>;
      return (
        <main>
          in {room} {button} <SessionBanner />
        </main>
      );
    },
  };
});

const BOB = { id: "u2", email: "bob@example.com", name: "Bob" };
const EXPIRED = problem(401, "The access token has expired.");
const OTHER = [
  409,
  { type: "/problems/other-account", title: "T", status: 409, detail: "Another." },
] as const;

/** A browser that is signed in as Ann, at this address; `answers` may change as it goes. */
async function open(path: string) {
  history.replaceState(null, "", path);
  const answers: Answers = {
    "POST /api/auth/refresh": [200, SESSION],
    "GET /api/rooms": [200, { rooms: [] }],
  };
  const { api, asked } = apiWith(answers);
  render(
    <ApiContext value={api}>
      <App />
    </ApiContext>,
  );
  await waitFor(() => expect(api.account.get().status).toBe("signedIn"));
  /** The token has expired, and this is what a refresh comes to. */
  const endSession = (refresh: Answers[string]) =>
    act(async () => {
      answers["GET /api/rooms"] = EXPIRED;
      answers["POST /api/auth/refresh"] = refresh;
      await api.rooms().catch(() => {});
    });
  return { api, answers, asked, endSession, user: userEvent.setup() };
}

const address = () => location.pathname;

afterEach(() => {
  cleanup();
  disposed.mockClear();
});

describe("a call", () => {
  it.each([
    ["expires", EXPIRED, "You are signed out"],
    ["is ended in another tab", [204] as const, "You are signed out"],
    ["gives way to another account", OTHER, "signed in to another account now. Your call goes on as Ann"],
  ])("goes on when the session %s, and says so", async (_, refresh, words) => {
    const { endSession, user } = await open("/call/bako-tuvi");
    await user.click(await screen.findByRole("button", { name: "Join" }));
    await endSession(refresh);
    expect(screen.getByRole("main").textContent).toContain("in bako-tuvi");
    expect(screen.getByRole("main").textContent).toContain(words);
    expect(address()).toBe("/call/bako-tuvi");
    expect(disposed).not.toHaveBeenCalled();
  });

  it("leads to the sign-in page after it, and from there back", async () => {
    const { answers, endSession, user } = await open("/call/bako-tuvi");
    await user.click(await screen.findByRole("button", { name: "Join" }));
    await endSession(EXPIRED);
    answers["POST /api/auth/login"] = [200, SESSION];
    await user.click(screen.getByRole("button", { name: "Leave" }));
    await screen.findByLabelText("Email");
    expect(address()).toBe("/login");
    await user.type(screen.getByLabelText("Email"), "ann@example.com");
    await user.type(screen.getByLabelText("Password"), "password123{Enter}");
    await screen.findByRole("button", { name: "Join" });
    expect(address()).toBe("/call/bako-tuvi");
  });

  it("takes up the session again when its user has signed in in another tab", async () => {
    const { answers, api, endSession, user } = await open("/call/bako-tuvi");
    await user.click(await screen.findByRole("button", { name: "Join" }));
    await endSession(EXPIRED);
    const link = screen.getByRole("link", { name: "sign in in another tab" });
    expect([link.getAttribute("href"), link.getAttribute("target")]).toEqual(["/login", "_blank"]);
    answers["POST /api/auth/refresh"] = [200, SESSION];
    act(() => void dispatchEvent(new Event("focus")));
    await waitFor(() => expect(screen.queryByText(/You are signed out/)).toBeNull());
    expect(api.account.get()).toMatchObject({ status: "signedIn", user: ANN });
    expect(disposed).not.toHaveBeenCalled();
  });

  it("is not opened for who is signed out", async () => {
    const { endSession } = await open("/call/bako-tuvi");
    await screen.findByRole("button", { name: "Join" });
    await endSession(EXPIRED);
    await screen.findByLabelText("Email");
    expect(address()).toBe("/login");
  });

  it("of another room begins anew", async () => {
    const { endSession, user } = await open("/call/bako-tuvi");
    await user.click(await screen.findByRole("button", { name: "Join" }));
    await endSession(EXPIRED);
    act(() => navigate("/call/other"));
    await screen.findByLabelText("Email");
    expect(disposed).toHaveBeenCalledOnce();
  });
});

describe("the rooms", () => {
  it("lead to the sign-in page when the session ends", async () => {
    const { endSession } = await open("/");
    await screen.findByRole("heading", { name: "Your rooms" });
    await endSession(EXPIRED);
    await screen.findByLabelText("Email");
    expect(address()).toBe("/login");
  });

  it("of another account are shown to whoever asks for them, and not unnoticed", async () => {
    const { answers, asked, endSession, user } = await open("/");
    await screen.findByRole("heading", { name: "Your rooms" });
    await endSession(OTHER);
    expect(asked.at(-1)).toEqual({ path: "POST /api/auth/refresh", body: { user: ANN.id } });
    await screen.findByRole("heading", { name: "Another account is signed in" });
    expect(screen.getByRole("link", { name: "Sign in as Ann Okafor" }).getAttribute("href")).toBe("/login");
    answers["POST /api/auth/refresh"] = [200, { ...SESSION, user: BOB }];
    answers["GET /api/rooms"] = [200, { rooms: [] }];
    await user.click(screen.getByRole("button", { name: "Go on with that account" }));
    await screen.findByText("Bob");
    expect(asked.findLast(({ path }) => path.endsWith("refresh"))?.body).toEqual({ user: null });
  });

  it("say that Connect is out of reach, and try again", async () => {
    history.replaceState(null, "", "/");
    const answers: Answers = { "POST /api/auth/refresh": problem(503, "Away for a moment.") };
    const { api } = apiWith(answers);
    render(
      <ApiContext value={api}>
        <App />
      </ApiContext>,
    );
    await screen.findByRole("heading", { name: "Connect is out of reach" });
    answers["POST /api/auth/refresh"] = [200, SESSION];
    answers["GET /api/rooms"] = [200, { rooms: [] }];
    await userEvent.click(screen.getByRole("button", { name: "Try again" }));
    await screen.findByRole("heading", { name: "Your rooms" });
  });
});
