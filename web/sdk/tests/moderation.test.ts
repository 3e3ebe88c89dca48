// What others have done to or asked of oneself: it is done at once, said, and over when one has answered.
import { beforeEach, expect, it } from "vitest";
import { LocalMedia } from "../src/call/local-media.ts";
import { LocalScreen } from "../src/call/local-screen.ts";
import { Moderation } from "../src/call/moderation.ts";
import { FakeDevices } from "./fake-devices.ts";

let local: LocalMedia;
let moderation: Moderation;
beforeEach(async () => {
  const { media } = new FakeDevices();
  local = new LocalMedia(media);
  moderation = new Moderation(
    () => {},
    local,
    new LocalScreen(media),
    () => "me",
  );
  await local.turn("microphone", true);
});

const isOn = () => local.state.get().microphone.on;
const mute = (...participants: string[]) =>
  moderation.happen({ type: "turnedOff", participants, source: "microphone", by: "ada" });
const ask = (participant = "me") => moderation.receive({ type: "askedToUnmute", participant, by: "ada" });

it("turns off what a moderator had turned off, and says so until it is on again", async () => {
  mute("ben");
  expect(isOn()).toBe(true);
  mute("ben", "me");
  expect(isOn()).toBe(false);
  expect(moderation.state.get().turnedOff).toEqual({ source: "microphone", by: "ada" });
  await local.turn("microphone", true);
  expect(isOn()).toBe(true);
  expect(moderation.state.get().turnedOff).toBeNull();
});

it("asks the person, who unmutes or does not", async () => {
  ask();
  expect(moderation.state.get().askedBy, "it is on").toBeNull();
  mute("me");
  ask("ben");
  expect(moderation.state.get().askedBy).toBeNull();
  ask();
  expect(moderation.state.get().askedBy).toBe("ada");
  moderation.decline();
  expect([isOn(), moderation.state.get().askedBy]).toEqual([false, null]);
  ask();
  await moderation.unmute();
  expect([isOn(), moderation.state.get()]).toEqual([true, { askedBy: null, turnedOff: null }]);
});

it("takes the button as an answer", async () => {
  mute("me");
  ask();
  await local.turn("microphone", true);
  expect(moderation.state.get().askedBy).toBeNull();
});

it("holds no microphone that may not be on: a browser would show it as open", () => {
  local.allow("microphone", false);
  expect(local.state.get().microphone.track).toBeNull();
});
