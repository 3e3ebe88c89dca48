// How somebody is shown who cannot be seen and heard now, and whose video cannot be played: at the tile and at the name.
import type { Codec, Connection, Participant, Quality } from "@connect/sdk";
import type { Call, CallState } from "@connect/sdk/call";
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { noBreakouts } from "../test-breakouts.ts";
import type { TileModel } from "./layout.ts";
import { PeoplePanel } from "./PeoplePanel.tsx";
import { Tile, type TileContext } from "./Tile.tsx";
import { ownConnection, unseenNotice } from "./words.ts";

const ALL: Codec[] = ["vp8", "h264", "vp9", "av1"];
const PATH = { loss: 0, jitterMs: 1, bitrate: 500_000 };
const GOOD: Quality = { roundTripMs: 20, up: PATH, down: PATH, estimate: 1e6, frozen: 0, score: 4.4 };

function ben(connection: Connection, codec: Codec | null = "vp8"): Participant {
  return {
    id: "ben",
    user: "u",
    name: "Ben",
    role: "speaker",
    guest: false,
    publishing: { microphone: true, camera: true, screen: false, codec },
    caps: { audio: true, video: true, screen: true, captions: true, maxLayer: null, maxBitrate: null },
    region: null,
    connection,
    decodes: ALL,
    joinedAt: 0,
  };
}

const nobody: string[] = [];
const none = { state: { get: () => nobody, subscribe: () => () => {} } };
const call = {
  view: { show: () => {}, hide: () => {} },
  hands: none,
  breakouts: noBreakouts,
  spotlight: none,
} as unknown as Call;

function state(fields: Partial<CallState>): CallState {
  const reports = new Map([["ben", GOOD]]);
  return {
    participants: [],
    you: "me",
    reports,
    media: "connected",
    quality: "good",
    ...fields,
  } as CallState;
}

function tile(person: Participant, decodes: readonly Codec[] = ALL): string | null {
  const context: TileContext = {
    call,
    streams: new Map(),
    paused: new Set(),
    speakers: ["ben"],
    decodes,
    preview: null,
    pinned: null,
    onPin: () => {},
  };
  const key = "ben/camera" as TileModel["key"];
  const model: TileModel = {
    key,
    person,
    participant: "ben",
    source: "camera",
    isYou: false,
    priority: 0,
  };
  const { container } = render(<Tile context={context} tile={model} />);
  expect(container.querySelector(".speaking") === null).toBe(person.connection !== "connected");
  return container.querySelector(".standstill")?.textContent ?? null;
}

beforeEach(() => {
  vi.stubGlobal(
    "IntersectionObserver",
    vi.fn(
      class {
        observe() {}
        disconnect() {}
      },
    ),
  );
  vi.stubGlobal(
    "ResizeObserver",
    vi.fn(
      class {
        observe() {}
        disconnect() {}
      },
    ),
  );
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

describe("at the name", () => {
  const row = (connection: Connection) => {
    render(<PeoplePanel call={call} state={state({ participants: [ben(connection)] })} />);
    const marks = screen.queryAllByRole("img").map((mark) => mark.getAttribute("aria-label"));
    return marks.filter((label) => label !== null && label !== "");
  };

  it("stand the connection and the devices of whoever is there", () => {
    expect(row("connected")).toEqual(["Good connection", "microphone on", "camera on"]);
  });

  it.each([
    ["reconnecting", "Reconnecting…"],
    ["connecting", "Connecting…"],
  ] as const)("stands %s, and nothing as if all were well", (connection, word) => {
    expect(row(connection)).toEqual([]);
    expect(screen.getByText(word)).toBeDefined();
  });
});

describe("at the tile", () => {
  it("stands that somebody cannot be seen and heard now", () => {
    expect(tile(ben("connected"))).toBeNull();
    expect(tile(ben("reconnecting"))).toBe("Reconnecting…");
    expect(tile(ben("connecting"))).toBe("Connecting…");
  });

  it("stands that a video cannot be played here", () => {
    const word = "Ben sends video in a format this browser cannot play";
    expect(tile(ben("connected", "av1"), ["vp8", "h264"])).toBe(word);
    expect(tile(ben("connected", "av1"), ALL)).toBeNull();
    expect(tile(ben("connected", "av1"), [])).toBeNull();
    expect(tile(ben("connected", null), ["vp8"])).toBeNull();
  });
});

describe("of oneself", () => {
  it("stands who cannot see one's video, whichever format it had", () => {
    const me = { ...ben("connected", "vp8"), id: "me" };
    const apple = { ...ben("connected"), decodes: ["h265"] as unknown as Codec[] };
    expect(unseenNotice(state({ participants: [me, ben("connected")] }))).toBeNull();
    expect(unseenNotice(state({ participants: [me, apple] }))).toContain("Ben");
  });

  it("stands no quality while there is no connection", () => {
    expect(ownConnection(state({}))).toBe("Good connection");
    expect(ownConnection(state({ media: { name: "reconnecting" }, quality: "unknown" }))).toBe(
      "Reconnecting",
    );
    expect(ownConnection(state({ media: { name: "failed" }, quality: "unknown" }))).toBe("Not connected");
    const blocked = { name: "blocked", tried: [] } as const;
    expect(ownConnection(state({ media: blocked, quality: "unknown" }))).toBe("Not connected");
  });
});
