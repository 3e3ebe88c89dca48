// The same user twice in a room: the microphone that comes second is off, until the call is moved to it.
import { beforeEach, expect, it } from "vitest";
import { elsewhereOf, QuietBesideOneself } from "../src/call/elsewhere.ts";
import { LocalMedia } from "../src/call/local-media.ts";
import type { Participant } from "../src/generated/protocol.ts";
import { FakeDevices } from "./fake-devices.ts";

const person = (id: string, user: string) => ({ id, user }) as Participant;
const [me, tab, ann] = [person("me", "u1"), person("tab", "u1"), person("ann", "u2")];

let on: boolean;
let quiet: QuietBesideOneself;

beforeEach(() => {
  on = true;
  const local = {
    state: { get: () => ({ microphone: { wanted: on } }) },
    turn: async (_: string, to: boolean) => {
      on = to;
    },
  };
  quiet = new QuietBesideOneself(local as unknown as ConstructorParameters<typeof QuietBesideOneself>[0]);
});

it("knows who is the same user", () => {
  expect(elsewhereOf([me, tab, ann], "me")).toEqual([tab]);
  expect(elsewhereOf([me, ann], "me")).toEqual([]);
  expect(elsewhereOf([], null)).toEqual([]);
});

it("leaves the microphone of somebody who is here once", () => {
  quiet.enter([me, ann], "me");
  expect(on).toBe(true);
});

it("turns the second microphone off, and on again when the call has moved to it", () => {
  quiet.enter([me, tab], "me");
  expect(on).toBe(false);
  quiet.moveHere();
  quiet.left([me], "me");
  expect(on).toBe(true);
});

it("leaves it off when the other one has just left", () => {
  quiet.enter([me, tab], "me");
  quiet.left([me], "me");
  expect(on).toBe(false);
});

it("turns nothing on that was off before", () => {
  on = false;
  quiet.enter([me, tab], "me");
  quiet.moveHere();
  quiet.left([me], "me");
  expect(on).toBe(false);
});

it("turns off the second microphone even while it is still opening", async () => {
  const devices = new FakeDevices();
  devices.pending = [];
  const local = new LocalMedia(devices.media);
  void local.turn("microphone", true);
  await Promise.resolve();
  new QuietBesideOneself(local).enter([me, tab], "me");
  devices.pending.shift()?.answer(null);
  await new Promise((done) => setTimeout(done));
  expect(devices.capturing("audio")).toEqual([]);
});
