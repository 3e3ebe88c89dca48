// A page that cannot be drawn, or whose code never comes: words and a way on, and other pages as ever.
import { act, cleanup, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { App } from "../App.tsx";
import { ApiContext } from "../api-context.ts";
import { LostPageError } from "../load-page.ts";
import { navigate } from "../router.tsx";
import { apiWith, SESSION } from "../test-api.ts";
import { Boundary } from "./Boundary.tsx";
import { Waiting } from "./Waiting.tsx";

vi.mock("../call/CallPage.tsx", () => ({
  default: () => {
    throw new Error("a mistake of ours");
  },
}));

beforeEach(() => {
  // React reports what a boundary has caught.
  vi.spyOn(console, "error").mockImplementation(() => {});
});
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

function Lost(): never {
  throw new LostPageError(null);
}

const wayOn = () => [
  screen.getByRole("button", { name: "Try again" }),
  screen.getByRole("link", { name: "Go to your rooms" }).getAttribute("href"),
];

describe("a page that cannot be drawn", () => {
  it("says so, leads on, and does not take the others with it", async () => {
    history.replaceState(null, "", "/call/r");
    const { api } = apiWith({
      "POST /api/auth/refresh": [200, SESSION],
      "GET /api/rooms": [200, { rooms: [] }],
    });
    render(
      <ApiContext value={api}>
        <App />
      </ApiContext>,
    );
    await screen.findByRole("heading", { name: "Something went wrong on this page" });
    expect(wayOn()[1]).toBe("/");
    act(() => navigate("/"));
    await screen.findByRole("heading", { name: "Your rooms" });
  });

  it("says that its code did not come", () => {
    render(
      <Boundary>
        <Lost />
      </Boundary>,
    );
    expect(screen.getByRole("heading", { name: "This page could not be loaded" })).toBeTruthy();
    expect(wayOn()[1]).toBe("/");
  });
});

describe("a page that is on its way", () => {
  it("needs no word at first, and has ways out when it is long", () => {
    vi.useFakeTimers();
    render(<Waiting />);
    expect(screen.getByRole("status", { name: "Loading" })).toBeTruthy();
    act(() => void vi.advanceTimersByTime(8_000));
    expect(wayOn()[1]).toBe("/");
  });
});
