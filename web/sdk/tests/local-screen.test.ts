// The shared screen: asked for, refused, stopped here or by the browser's own button.
import { describe, expect, it } from "vitest";
import { LocalScreen } from "../src/call/local-screen.ts";

class FakeTrack {
  stopped = false;
  onended: (() => void) | null = null;
  contentHint = "";
  stop(): void {
    this.stopped = true;
  }
}

function screen({ refuse = "", audio = true, restrictOwnAudio = true } = {}) {
  const video = new FakeTrack();
  const sound = new FakeTrack();
  const asked: object[] = [];
  const media = {
    getSupportedConstraints: () => ({ restrictOwnAudio }),
    getDisplayMedia: async (options: object) => {
      asked.push(options);
      if (refuse !== "") throw new DOMException("no", refuse);
      return { getVideoTracks: () => [video], getAudioTracks: () => (audio ? [sound] : []) };
    },
  };
  return { screen: new LocalScreen(media as unknown as MediaDevices), video, sound, asked };
}

describe("the shared screen", () => {
  it("is shared with its sound, pixels before frames", async () => {
    const { screen: shared, video, sound } = screen();
    await shared.share();
    const state = shared.state.get();
    expect([state.video, state.audio].every(Boolean)).toBe(true);
    expect([video.contentHint, sound.contentHint]).toEqual(["detail", "music"]);
    expect(state.asking).toBe(false);
  });

  it("does without sound where there is none", async () => {
    const { screen: shared } = screen({ audio: false });
    await shared.share();
    expect(shared.state.get()).toMatchObject({ audio: null, problem: null });
  });

  it("ends with the browser's own button, sound and all", async () => {
    const { screen: shared, video, sound } = screen();
    await shared.share();
    video.onended?.();
    expect(shared.state.get()).toMatchObject({ video: null, audio: null });
    expect(sound.stopped).toBe(true);
  });

  it.each([
    ["NotAllowedError", "denied"],
    ["NotReadableError", "failed"],
  ])("says what stopped it: %s is %s", async (refuse, problem) => {
    const { screen: shared } = screen({ refuse });
    await shared.share();
    expect(shared.state.get()).toMatchObject({ video: null, asking: false, problem });
    shared.dismiss();
    expect(shared.state.get().problem).toBeNull();
  });

  it("is asked for once at a time", async () => {
    const { screen: shared, asked } = screen();
    await Promise.all([shared.share(), shared.share()]);
    await shared.share();
    expect(asked).toHaveLength(1);
  });

  it("is no speech to the browser, and the call itself is not in it", async () => {
    const { screen: shared, asked } = screen();
    await shared.share();
    expect(asked[0]).toMatchObject({
      audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: 2 },
      systemAudio: "include",
    });
    const { screen: other, asked: otherwise } = screen({ restrictOwnAudio: false });
    await other.share();
    expect(otherwise[0]).toMatchObject({ systemAudio: "exclude" });
  });

  it.each(["stop", "forbid"])("is not shared when it is chosen too late: %s", async (how) => {
    const { screen: shared, video, sound } = screen();
    const sharing = shared.share();
    if (how === "stop") shared.stop();
    else shared.allow(false);
    await sharing;
    expect([video.stopped, sound.stopped]).toEqual([true, true]);
    expect(shared.state.get()).toMatchObject({ video: null, audio: null, asking: false });
  });

  it("is not even asked for while it is forbidden", async () => {
    const { screen: shared, asked } = screen();
    shared.allow(false);
    await shared.share();
    expect(asked).toHaveLength(0);
    shared.allow(true);
    await shared.share();
    expect(shared.state.get().video).not.toBeNull();
  });

  it("is released when the call ends before the user has chosen", async () => {
    const { screen: shared, video } = screen();
    const sharing = shared.share();
    shared.end();
    await sharing;
    expect(video.stopped).toBe(true);
    expect(shared.state.get()).toMatchObject({ video: null, asking: false });
  });

  it("is told to be out of reach where the browser cannot", async () => {
    const shared = new LocalScreen(undefined);
    await shared.share();
    expect(shared.isSupported).toBe(false);
    expect(shared.state.get().problem).toBe("unsupported");
  });
});
