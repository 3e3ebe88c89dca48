// The pages outside of a call, as a person uses them: labels, names, errors, and where they lead.
import { cleanup, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { App } from "./App.tsx";
import { ApiContext } from "./api-context.ts";
import { ANN, type Answers, apiWith, problem, SESSION } from "./test-api.ts";

// The call itself needs a browser: here only who gets there, and with which address.
vi.mock("./call/CallPage.tsx", () => ({
  default: ({ room, search }: { room: string; search: string }) => `call ${room} ${search}`,
}));

const SIGNED_OUT: Answers = { "POST /api/auth/refresh": problem(401, "No session.") };
const NO_GUESTS: Answers = {
  ...SIGNED_OUT,
  "GET /api/rooms/bako-tuvi/door": [200, { name: "Stand-up", guests: false }],
};
const SIGNED_IN: Answers = {
  "POST /api/auth/refresh": [200, SESSION],
  "GET /api/rooms": [200, { rooms: [] }],
};
const ROOM = { id: "bako-tuvi", name: "Stand-up", owner: ANN.id, createdAt: 1, people: 0 };

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

const address = () => location.pathname + location.search;

beforeEach(() => {
  history.replaceState(null, "", "/");
});
afterEach(cleanup);

describe("signing in", () => {
  it("has the labels, names and button that people and tools look for", async () => {
    open("/login", SIGNED_OUT);
    expect(screen.getByLabelText("Email").getAttribute("name")).toBe("email");
    expect(screen.getByLabelText("Password").getAttribute("name")).toBe("password");
    expect(screen.getByRole("button", { name: "Sign in" }).getAttribute("type")).toBe("submit");
  });

  it("leads to the rooms", async () => {
    const { asked, user } = open("/login", {
      ...SIGNED_OUT,
      "POST /api/auth/login": [200, SESSION],
      "GET /api/rooms": [200, { rooms: [] }],
    });
    await user.type(screen.getByLabelText("Email"), "ann@example.com");
    await user.type(screen.getByLabelText("Password"), "password123");
    await user.click(screen.getByRole("button", { name: "Sign in" }));
    await screen.findByRole("button", { name: "Create Room" });
    expect(address()).toBe("/");
    expect(asked).toContainEqual({
      path: "POST /api/auth/login",
      body: { email: "ann@example.com", password: "password123" },
    });
  });

  it("says that it failed, and why", async () => {
    const { user } = open("/login", {
      ...SIGNED_OUT,
      "POST /api/auth/login": problem(401, "The email address or the password is wrong."),
    });
    await user.type(screen.getByLabelText("Email"), "ann@example.com");
    await user.type(screen.getByLabelText("Password"), "nope{Enter}");
    const alert = await screen.findByRole("alert");
    expect(screen.getByText("Login failed")).toBeTruthy();
    expect(alert.textContent).toContain("The email address or the password is wrong.");
    expect(address()).toBe("/login");
  });

  it("leads back to the call that was asked for, region and all", async () => {
    const { user } = open("/call/bako-tuvi?region=us-east", {
      ...NO_GUESTS,
      "POST /api/auth/login": [200, SESSION],
    });
    await screen.findByLabelText("Email");
    expect(address()).toBe("/login");
    await user.type(screen.getByLabelText("Email"), "ann@example.com");
    await user.type(screen.getByLabelText("Password"), "password123{Enter}");
    await screen.findByText("call bako-tuvi ?region=us-east");
    expect(address()).toBe("/call/bako-tuvi?region=us-east");
  });

  it("is asked of those who open the rooms without a session, and not of others", async () => {
    open("/", SIGNED_OUT);
    await screen.findByLabelText("Email");
    expect(address()).toBe("/login");
    cleanup();
    open("/", SIGNED_IN);
    await screen.findByRole("heading", { name: "Your rooms" });
    expect(address()).toBe("/");
  });
});

describe("a link, without an account", () => {
  const door = "GET /api/rooms/bako-tuvi/door";
  const come = "POST /api/rooms/bako-tuvi/guests";
  const OPEN: Answers = { ...SIGNED_OUT, [door]: [200, { name: "Stand-up", guests: true }] };

  it("is enough where the room takes guests: a name, and one is there", async () => {
    const guest = { token: "g", expiresIn: 43_200, user: "guest-1", name: "Gil" };
    const { asked, user } = open("/call/bako-tuvi?region=us-east", { ...OPEN, [come]: [201, guest] });
    await screen.findByRole("heading", { name: "Stand-up" });
    await user.type(screen.getByLabelText("Your name"), " Gil ");
    await user.click(screen.getByRole("button", { name: "Join as guest" }));
    await screen.findByText("call bako-tuvi ?region=us-east");
    expect(asked).toContainEqual({ path: come, body: { name: "Gil", fresh: true } });
  });

  it("is not asked for the name again by a page that is loaded anew, unless that fails", async () => {
    sessionStorage.setItem("connect:guest:bako-tuvi", "Gil");
    const guest = { token: "g", expiresIn: 43_200, user: "guest-1", name: "Gil" };
    const { asked } = open("/call/bako-tuvi", { ...OPEN, [come]: [201, guest] });
    await screen.findByText("call bako-tuvi");
    expect(asked).toContainEqual({ path: come, body: { name: "Gil" } });
    cleanup();
    open("/call/bako-tuvi", { ...OPEN, [come]: problem(403, "No guests any more.") });
    await screen.findByLabelText("Your name");
    sessionStorage.clear();
  });

  it("leads to signing in as well, and back", async () => {
    const { user } = open("/call/bako-tuvi", { ...OPEN, "POST /api/auth/login": [200, SESSION] });
    await user.click(await screen.findByRole("link", { name: "Sign in" }));
    await user.type(screen.getByLabelText("Email"), "ann@example.com");
    await user.type(screen.getByLabelText("Password"), "password123{Enter}");
    await screen.findByText("call bako-tuvi");
  });

  it("says what is wrong with a name, at its field", async () => {
    const wrong = [{ field: "name", message: "a name shows something" }];
    const { user } = open("/call/bako-tuvi", { ...OPEN, [come]: problem(422, "name", wrong) });
    await user.type(await screen.findByLabelText("Your name"), "x{Enter}");
    await screen.findByText("A name shows something.");
  });

  it("to a room that is not there says so, and one that cannot be looked up can be tried again", async () => {
    open("/call/bako-tuvi", { ...SIGNED_OUT, [door]: problem(404, "No room.") });
    await screen.findByRole("heading", { name: "There is no such room" });
    cleanup();
    open("/call/bako-tuvi", { ...SIGNED_OUT, [door]: problem(503, "The room is away.") });
    await screen.findByRole("button", { name: "Try again" });
  });
});

describe("signing up", () => {
  it("shows what is wrong at its field", async () => {
    const { user } = open("/register", {
      ...SIGNED_OUT,
      "POST /api/auth/register": problem(422, "The password is too weak.", [
        { field: "password", message: "Use at least 8 characters." },
      ]),
    });
    await user.type(screen.getByLabelText("Name"), "Ann");
    await user.type(screen.getByLabelText("Email"), "ann@example.com");
    await user.type(screen.getByLabelText("Password"), "abc{Enter}");
    await screen.findByText("Use at least 8 characters.");
    const password = screen.getByLabelText("Password");
    expect(password.getAttribute("aria-invalid")).toBe("true");
    const described = document.getElementById(password.getAttribute("aria-describedby") ?? "");
    expect(described?.textContent).toBe("Use at least 8 characters.");
  });
});

describe("the rooms", () => {
  it("are listed with who is there", async () => {
    open("/", { ...SIGNED_IN, "GET /api/rooms": [200, { rooms: [{ ...ROOM, people: 2 }] }] });
    const link = await screen.findByRole("link", { name: /Stand-up/ });
    expect(link.getAttribute("href")).toBe("/call/bako-tuvi");
    expect(link.textContent).toContain("2 people here now");
  });

  it("are made by a name, and opened", async () => {
    const { asked, user } = open("/", { ...SIGNED_IN, "POST /api/rooms": [200, ROOM] });
    await user.click(await screen.findByRole("button", { name: "Create Room" }));
    const input = screen.getByLabelText("Room name");
    expect(input.getAttribute("name")).toBe("roomName");
    expect(document.activeElement).toBe(input);
    expect(screen.queryByRole("button", { name: "Create Room" })).toBeNull();
    await user.type(input, "Stand-up");
    await user.click(screen.getByRole("button", { name: "Create" }));
    await waitFor(() => expect(address()).toBe("/call/bako-tuvi"));
    expect(asked).toContainEqual({ path: "POST /api/rooms", body: { name: "Stand-up" } });
  });

  it("are deleted by their owner, once asked whether to", async () => {
    const { asked, user } = open("/", {
      ...SIGNED_IN,
      "GET /api/rooms": [200, { rooms: [ROOM, { ...ROOM, id: "other", name: "Retro" }] }],
      "DELETE /api/rooms/bako-tuvi": [204],
    });
    const deletion = { path: "DELETE /api/rooms/bako-tuvi", body: undefined };
    await user.click(await screen.findByRole("button", { name: "Delete Stand-up" }));
    expect(document.activeElement).toBe(screen.getByRole("button", { name: "Cancel" }));
    await user.keyboard("{Escape}");
    expect(asked).not.toContainEqual(deletion);
    await user.click(screen.getByRole("button", { name: "Delete Stand-up" }));
    await user.click(screen.getByRole("button", { name: "Yes, delete" }));
    await waitFor(() => expect(screen.queryByRole("link", { name: /Stand-up/ })).toBeNull());
    expect(asked).toContainEqual(deletion);
    expect(screen.getByRole("link", { name: /Retro/ })).toBeTruthy();
  });

  it("say in words when they cannot be deleted", async () => {
    const { user } = open("/", {
      ...SIGNED_IN,
      "GET /api/rooms": [200, { rooms: [ROOM] }],
      "DELETE /api/rooms/bako-tuvi": problem(503, "The room is away for a moment."),
    });
    await user.click(await screen.findByRole("button", { name: "Delete Stand-up" }));
    await user.click(screen.getByRole("button", { name: "Yes, delete" }));
    expect((await screen.findByRole("alert")).textContent).toBe("The room is away for a moment.");
    expect(screen.getByRole("link", { name: /Stand-up/ })).toBeTruthy();
  });

  it("cannot be deleted by who has only been there", async () => {
    open("/", { ...SIGNED_IN, "GET /api/rooms": [200, { rooms: [{ ...ROOM, owner: "u2" }] }] });
    await screen.findByRole("link", { name: /Stand-up/ });
    expect(screen.queryByRole("button", { name: /Delete/ })).toBeNull();
  });

  it("say in words when they cannot be loaded", async () => {
    open("/", { ...SIGNED_IN, "GET /api/rooms": problem(503, "The directory is away for a moment.") });
    const alert = await screen.findByRole("alert");
    expect(alert.textContent).toContain("The directory is away for a moment.");
    expect(screen.getByRole("button", { name: "Try again" })).toBeTruthy();
  });
});

describe("an address that does not exist", () => {
  it("says so and leads on", async () => {
    open("/nowhere/at/all", SIGNED_IN);
    expect(await screen.findByRole("heading", { name: "There is nothing here" })).toBeTruthy();
    expect(screen.getByRole("link", { name: "Go to your rooms" }).getAttribute("href")).toBe("/");
  });
});
