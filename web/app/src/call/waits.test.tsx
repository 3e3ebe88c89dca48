// The way into a call and what is to be known in it: each with something to do about it.
import { ApiError, type Participant, type RoomDetails } from "@connect/sdk";
import type { Call, CallState, MediaStatus } from "@connect/sdk/call";
import { act, cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ApiContext, useApi } from "../api-context.ts";
import { apiWith, SESSION } from "../test-api.ts";
import { noBreakouts } from "../test-breakouts.ts";
import { CallBanners } from "./CallBanners.tsx";
import { JoinButtons } from "./JoinButtons.tsx";
import { useRoom } from "./use-room.ts";
import { callTrouble, mediaHelp, triedWords, unsentWords } from "./words.ts";

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

const call = {
  join: vi.fn(),
  cancel: vi.fn(),
  moveHere: vi.fn(),
  retryMedia: vi.fn(),
  dismissRefusal: vi.fn(),
  breakouts: noBreakouts,
  stage: { state: { get: () => STAGE, subscribe: () => () => {} } },
  moderation: { state: { get: () => QUIET, subscribe: () => () => {} } },
  local: { state: { get: () => LOCAL, subscribe: () => () => {} }, turn: vi.fn() },
};
const STAGE = { asking: [], news: null };
const QUIET = { askedBy: null, turnedOff: null };
const LOCAL = { microphone: { on: false } };
const theCall = call as unknown as Call;
const person = (id: string, user: string) => ({ id, user, name: id }) as Participant;
const state = (fields: object) =>
  ({
    status: { name: "joined" },
    media: { name: "connected" } satisfies MediaStatus,
    participants: [person("me", "u1")],
    you: "me",
    notice: null,
    refusal: null,
    ...fields,
  }) as unknown as CallState;
const press = (name: string) => userEvent.setup().click(screen.getByRole("button", { name }));
const buttons = () => screen.getAllByRole("button").map(({ textContent }) => textContent);

function Known() {
  const { name, yours, absence } = useRoom(useApi(), "r", true);
  return <p>{absence !== null ? "missing" : `${name} ${yours}`}</p>;
}

describe("the way in", () => {
  const open = (status: object, yours = 0) =>
    render(<JoinButtons call={theCall} state={state({ status })} yours={yours} />);

  it("is one button", async () => {
    open({ name: "idle" });
    expect(buttons()).toEqual(["Join"]);
    await press("Join");
    expect(call.join).toHaveBeenLastCalledWith();
  });

  it("can be given up while it is long", async () => {
    open({ name: "joining" });
    await press("Cancel");
    expect(call.cancel).toHaveBeenCalled();
  });

  it("waits at the door in words, and can be given up there", async () => {
    open({ name: "waiting" });
    expect(screen.getByRole("status").textContent).toContain("Waiting to be let in");
    expect(buttons()).toEqual(["Cancel"]);
  });

  it("asks for the room's password where there is one, and keeps it while it tries", async () => {
    const type = "/problems/wrong-room-password";
    const error = new ApiError({ type, title: "Wrong", status: 403, detail: "not the password" });
    const view = (status: object) => <JoinButtons call={theCall} state={state({ status })} yours={0} />;
    const { rerender } = render(view({ name: "failed", error }));
    await userEvent.setup().type(screen.getByLabelText("Room password"), "sesame{Enter}");
    expect(call.join).toHaveBeenLastCalledWith({ password: "sesame" });
    rerender(view({ name: "joining" }));
    expect(screen.getByLabelText<HTMLInputElement>("Room password").value).toBe("sesame");
  });

  it.each([
    ["Join", 0],
    ["Move the call here", 1],
    ["Join here as well", 1],
  ])("leaves the keyboard where it was after %s, and after Cancel where one goes on", async (name, yours) => {
    const user = userEvent.setup();
    const view = (status: object) => <JoinButtons call={theCall} state={state({ status })} yours={yours} />;
    const { rerender } = render(view({ name: "idle" }));
    const pressed = screen.getByRole("button", { name });
    await user.click(pressed);
    const joins = call.join.mock.calls.length;
    rerender(view({ name: "joining" }));
    expect(document.activeElement).toBe(pressed);
    await user.keyboard("{Enter}");
    expect(call.join).toHaveBeenCalledTimes(joins);
    await press("Cancel");
    rerender(view({ name: "idle" }));
    const on = yours > 0 ? "Join here as well" : "Join";
    expect(document.activeElement).toBe(screen.getByRole("button", { name: on }));
    rerender(view({ name: "joining" }));
    screen.getByRole("button", { name: "Cancel" }).focus();
    rerender(view({ name: "failed", error: new Error("x") }));
    expect(document.activeElement?.textContent).toBe(yours > 0 ? "Join here as well" : "Try again");
  });

  it("says what went wrong, and may be tried again", async () => {
    open({ name: "failed", error: new Error("x") });
    expect(screen.getByRole("alert").textContent).toContain("You could not join");
    expect(buttons()).toEqual(["Try again"]);
  });

  it("offers to move the call here to who is in it already", async () => {
    open({ name: "idle" }, 1);
    expect(screen.getByRole("status").textContent).toContain("You are in this call already");
    expect(buttons()).toEqual(["Move the call here", "Join here as well"]);
    await press("Move the call here");
    expect(call.join).toHaveBeenLastCalledWith({ moveHere: true });
    await press("Join here as well");
    expect(call.join).toHaveBeenLastCalledWith();
  });
});

describe("a room that is not joined yet", () => {
  const details: RoomDetails = {
    id: "r",
    name: "Retro",
    owner: "u",
    createdAt: 1,
    people: 1,
    yours: 0,
    watches: false,
  };
  const open = (answer: readonly [number, unknown?]) => {
    const answers = { "POST /api/auth/refresh": [200, SESSION], "GET /api/rooms/r": answer } as Parameters<
      typeof apiWith
    >[0];
    const { api } = apiWith(answers);
    render(
      <ApiContext value={api}>
        <Known />
      </ApiContext>,
    );
    return answers;
  };

  it("is looked at again when somebody comes back to the page", async () => {
    const answers = open([200, details]);
    await screen.findByText("Retro 0");
    answers["GET /api/rooms/r"] = [200, { ...details, yours: 1 }];
    act(() => void dispatchEvent(new Event("focus")));
    await screen.findByText("Retro 1");
  });

  it("may not be there", async () => {
    open([404, { title: "t", detail: "d", status: 404 }]);
    await screen.findByText("missing");
  });
});

describe("in the call", () => {
  const open = (fields: object) => render(<CallBanners call={theCall} state={state(fields)} />);
  const tried = [
    { way: "udp", outcome: "unanswered" },
    { way: "tcp", outcome: "unanswered" },
    { way: "turn", outcome: "none" },
  ] as const;

  it("nothing is said while all is well", () => {
    open({});
    expect(document.body.textContent).toBe("");
  });

  it("blocked media is told, with what was tried and what helps", async () => {
    open({ media: { name: "blocked", tried } });
    expect(document.body.textContent).toContain("UDP (no answer), TCP (no answer), TURN (not set up here)");
    expect(document.body.textContent).toContain("another network");
    await press("Try again");
    expect(call.retryMedia).toHaveBeenCalled();
  });

  it("blocked media waits for the connection to the room, which may be the cause", () => {
    open({ media: { name: "blocked", tried }, status: { name: "reconnecting", pauseMs: 0 } });
    expect(document.body.textContent).toBe("");
  });

  it("a TURN server is asked for where there is none, and not where one was of no use", () => {
    expect(mediaHelp(tried)).toContain("ask whoever runs Connect for a TURN server");
    expect(mediaHelp([{ way: "turn", outcome: "unreachable" }])).not.toContain("TURN");
    expect(triedWords([{ way: "turn", outcome: "unreachable" }])).toContain("out of reach");
  });

  it("the same person elsewhere is told, and the call can be moved", async () => {
    open({ participants: [person("me", "u1"), person("tab", "u1")] });
    expect(document.body.textContent).toContain("Your microphone is off here");
    await press("Move the call here");
    expect(call.moveHere).toHaveBeenCalled();
  });

  it("a microphone that was turned off beside another one is told until it is turned on", async () => {
    open({ quiet: true });
    expect(document.body.textContent).toContain("Your microphone is off: you were in this call");
    await press("Turn it on");
    expect(call.local.turn).toHaveBeenCalledWith("microphone", true);
  });

  it("what was refused is told for a while", async () => {
    vi.useFakeTimers();
    open({ refusal: "only the owner may do that" });
    expect(document.body.textContent).toContain("Only the owner may do that.");
    vi.advanceTimersByTime(8_000);
    expect(call.dismissRefusal).toHaveBeenCalled();
  });

  it("what one wrote and the call did not carry any more is told after it", () => {
    const line = (text: string) => ({ nonce: text, text, refused: "The call was over before." });
    expect(unsentWords([])).toBeUndefined();
    expect(unsentWords([line("hi")])).toBe("A line of yours was not sent to the chat: “hi”");
    expect(unsentWords([line("a"), line("b")])).toContain(
      "2 lines of yours were not sent to the chat: “a”, “b”",
    );
  });

  it("a pause that the room asks for is told", () => {
    const paused = (pauseMs: number) => callTrouble(state({ status: { name: "reconnecting", pauseMs } }));
    expect(paused(0)).toBe("Reconnecting…");
    expect(paused(29_500)).toContain("in 30 s");
  });
});
