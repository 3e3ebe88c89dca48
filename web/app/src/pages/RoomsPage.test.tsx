// The page of listed rooms, and what a browser remembers of its guests' rooms.
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, it } from "vitest";
import { App } from "../App.tsx";
import { ApiContext } from "../api-context.ts";
import { type Answers, apiWith, problem, SESSION } from "../test-api.ts";
import { recentRooms, rememberRoom } from "./recent.ts";

const room = (name: string, fields: object = {}) => ({
  id: name.toLowerCase(),
  name,
  people: 0,
  locked: false,
  password: false,
  ...fields,
});
const at = (q: string, more = "") => `GET /api/directory?q=${q}&live=false${more}`;
const page = (rooms: object[], next: string | null = null) => [200, { rooms, next }] as const;

function open(path: string, answers: Answers) {
  history.replaceState(null, "", path);
  const { api, asked } = apiWith(answers);
  render(
    <ApiContext value={api}>
      <App />
    </ApiContext>,
  );
  return { user: userEvent.setup(), asked };
}

const SIGNED_IN: Answers = { "POST /api/auth/refresh": [200, SESSION] };
const namesOf = () => screen.getAllByRole("heading", { level: 2 }).map(({ textContent }) => textContent);

afterEach(() => {
  cleanup();
  localStorage.clear();
});

describe("listed rooms", () => {
  it("are shown page by page, with who is there and how the door is", async () => {
    const { user } = open("/rooms", {
      ...SIGNED_IN,
      [at("")]: page([room("Alpha", { people: 2 }), room("Bravo", { locked: true })], "bravo bravo"),
      [at("", "&after=bravo+bravo")]: page([room("Charlie", { password: true })]),
    });
    await screen.findByText("2 people here now");
    screen.getByText("Locked");
    screen.getByText("2 rooms, and there are more");
    await user.click(screen.getByRole("button", { name: "Show more" }));
    await screen.findByText("Asks for a password");
    expect(namesOf()).toEqual(["Alpha", "Bravo", "Charlie"]);
    expect(screen.queryByRole("button", { name: "Show more" })).toBeNull();
  });

  it("are searched once somebody stops typing, and what was asked for before is not shown any more", async () => {
    const { user, asked } = open("/rooms", {
      ...SIGNED_IN,
      [at("")]: page([room("Alpha")]),
      [at("stand")]: page([room("Stand-up")]),
      [at("standx")]: page([]),
    });
    await screen.findByText("Alpha");
    await user.type(screen.getByLabelText("Search by name"), "stand");
    await screen.findByText("Stand-up");
    expect(asked.map(({ path }) => path)).not.toContain(at("st"));
    expect(screen.queryByText("Alpha")).toBeNull();
    await user.type(screen.getByLabelText("Search by name"), "x");
    await screen.findByText("No room was found");
  });

  it("that could not be loaded are asked for again", async () => {
    const answers: Answers = { ...SIGNED_IN, [at("")]: problem(500, "a fault of ours") };
    const { user } = open("/rooms", answers);
    await screen.findByText("The rooms could not be loaded");
    answers[at("")] = page([room("Alpha")]);
    await user.click(screen.getByRole("button", { name: "Try again" }));
    await screen.findByText("Alpha");
    expect(screen.queryByRole("alert")).toBeNull();
  });
});

it("says of a retired room that it was retired", async () => {
  const retired = { type: "/problems/room-retired", title: "T", status: 410, detail: "nobody had used it" };
  open("/call/old", { "POST /api/auth/refresh": [204], "GET /api/rooms/old/door": [410, retired] });
  await screen.findByRole("heading", { name: "This room was retired" });
  screen.getByText("Nobody had used it.");
});

describe("a guest's recent rooms", () => {
  it("are shown where one signs in, and are forgotten when asked to", async () => {
    rememberRoom({ id: "a", name: "Alpha" });
    rememberRoom({ id: "b", name: "Bravo" });
    const { user } = open("/login", { "POST /api/auth/refresh": [204] });
    expect((await screen.findByRole("link", { name: "Bravo" })).getAttribute("href")).toBe("/call/b");
    await user.click(screen.getByRole("button", { name: "Forget them" }));
    expect(screen.queryByRole("link", { name: "Alpha" })).toBeNull();
    expect(recentRooms()).toEqual([]);
  });

  it("are ten, the latest first, each once", () => {
    for (let n = 0; n < 12; n++) rememberRoom({ id: `r${n}`, name: `Room ${n}` });
    rememberRoom({ id: "r5", name: "Renamed" });
    const ids = recentRooms().map(({ id }) => id);
    expect(ids).toHaveLength(10);
    expect(ids.slice(0, 3)).toEqual(["r5", "r11", "r10"]);
    expect(recentRooms()[0]?.name).toBe("Renamed");
  });

  it("are none where nothing of the kind is stored, or nothing can be", () => {
    for (const stored of ["{", "7", '[{"id":1}]', "null"]) {
      localStorage.setItem("connect:recent-rooms", stored);
      expect(recentRooms()).toEqual([]);
    }
    const forbidden = () => {
      throw new Error("forbidden");
    };
    rememberRoom({ id: "a", name: "A" }, forbidden);
    expect(recentRooms(forbidden)).toEqual([]);
  });
});
