// The same user twice in a room: the microphone that comes second is off, until the call is moved to it.
import { beforeEach, expect, it } from "vitest";
import { elsewhereOf, QuietBesideOneself } from "../src/call/elsewhere.ts";
import { LocalMedia } from "../src/call/local-media.ts";
import type { Connection, Participant } from "../src/generated/protocol.ts";
import { Store } from "../src/store.ts";
import { FakeDevices } from "./fake-devices.ts";

const person = (id: string, user: string, connection: Connection = "connected") =>
  ({ id, user, connection }) as Participant;
const [me, tab, ann] = [person("me", "u1"), person("tab", "u1"), person("ann", "u2")];

let local: Store<{ microphone: { wanted: boolean } }>;
let quiet: QuietBesideOneself;
let told: boolean[];

const wish = (wanted: boolean) => local.set({ microphone: { wanted } });
const isWanted = () => local.get().microphone.wanted;

beforeEach(() => {
  told = [];
  local = new Store({ microphone: { wanted: true } });
  const turn = async (_: string, on: boolean) => wish(on);
  const media = { state: local, turn } as unknown as ConstructorParameters<typeof QuietBesideOneself>[0];
  quiet = new QuietBesideOneself(media, (is) => told.push(is));
});

it("knows who is the same user", () => {
  expect(elsewhereOf([me, tab, ann], "me")).toEqual([tab]);
  expect(elsewhereOf([me, ann], "me")).toEqual([]);
  expect(elsewhereOf([], null)).toEqual([]);
});

it("leaves the microphone of somebody who is here once", () => {
  quiet.enter([me, ann], "me");
  expect([isWanted(), told]).toEqual([true, []]);
});

it("leaves the microphone beside one that is not heard any more", () => {
  quiet.enter([me, person("ghost", "u1", "reconnecting")], "me");
  expect([isWanted(), told]).toEqual([true, []]);
});

it("turns the second microphone off, and on again when the call has moved to it", () => {
  quiet.enter([me, tab], "me");
  expect([isWanted(), told]).toEqual([false, [true]]);
  quiet.moved();
  expect([isWanted(), told]).toEqual([true, [true, false]]);
});

it("turns nothing on that was off before", () => {
  wish(false);
  quiet.enter([me, tab], "me");
  quiet.moved();
  expect([isWanted(), told]).toEqual([false, []]);
});

it("turns nothing on against the last wish", () => {
  quiet.enter([me, tab], "me");
  wish(true);
  wish(false);
  quiet.moved();
  expect([isWanted(), told]).toEqual([false, [true, false]]);
});

it("turns nothing on that the owner has turned off meanwhile", () => {
  quiet.enter([me, tab], "me");
  quiet.forbidden();
  quiet.moved();
  expect([isWanted(), told]).toEqual([false, [true, false]]);
});

it("turns off the second microphone even while it is still opening", async () => {
  const devices = new FakeDevices();
  devices.pending = [];
  const media = new LocalMedia(devices.media);
  void media.turn("microphone", true);
  await Promise.resolve();
  new QuietBesideOneself(media, (is) => told.push(is)).enter([me, tab], "me");
  devices.pending.shift()?.answer(null);
  await new Promise((done) => setTimeout(done));
  expect([devices.capturing("audio"), told]).toEqual([[], [true]]);
});
