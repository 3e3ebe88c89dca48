// Dynacast: what is watched is encoded, whatever order the wishes come in.
import { describe, expect, it } from "vitest";
import { VideoSender } from "../src/call/video-sender.ts";

/** A sender as browsers have it: two calls that overlap fail. */
class FakeSender {
  track: MediaStreamTrack | null = null;
  calls = 0;
  encodings: RTCRtpEncodingParameters[];
  #busy = false;
  constructor(layers: number) {
    this.encodings = Array.from({ length: layers }, (_, layer) => ({
      active: layer === 0,
      scaleResolutionDownBy: 2 ** (layers - 1 - layer),
    }));
  }
  getParameters = () => ({ encodings: structuredClone(this.encodings) });
  setParameters = async ({ encodings }: { encodings: RTCRtpEncodingParameters[] }) => {
    if (this.#busy) throw new DOMException("overlap", "InvalidStateError");
    this.#busy = true;
    this.calls += 1;
    await Promise.resolve();
    this.encodings = encodings;
    this.#busy = false;
  };
  replaceTrack = async (track: MediaStreamTrack | null) => {
    this.track = track;
  };
  get active() {
    return this.encodings.map(({ active }) => active);
  }
  get scales() {
    return this.encodings.map(({ scaleResolutionDownBy }) => scaleResolutionDownBy);
  }
}

function camera(layers = 3, scaled = true) {
  const fake = new FakeSender(layers);
  return { fake, sender: new VideoSender(fake as unknown as RTCRtpSender, scaled) };
}
const picture = (width: number, height: number) =>
  ({ getSettings: () => ({ width, height }) }) as unknown as MediaStreamTrack;

describe("a sender of video", () => {
  it("encodes the layers that are watched", async () => {
    const { fake, sender } = camera();
    await sender.demand([true, false, true]);
    expect(fake.active).toEqual([true, false, true]);
    await sender.demand([]);
    expect(fake.active).toEqual([false, false, false]);
  });

  it("ends with the newest of many wishes, one change after the other", async () => {
    const { fake, sender } = camera();
    const wishes = [[true, true, true], [false], [true, true, false], [false, false, true]];
    await Promise.all(wishes.map((wish) => sender.demand(wish)));
    expect(fake.active).toEqual([false, false, true]);
    expect(fake.calls).toBeLessThan(wishes.length);
  });

  it("begins anew with the lowest layer when nothing is known any more", async () => {
    const { fake, sender } = camera();
    await sender.demand([false, true, true]);
    await sender.demand(null);
    expect(fake.active).toEqual([true, false, false]);
  });

  it("leaves alone what is as it should be", async () => {
    const { fake, sender } = camera();
    await sender.demand([true, false, false]);
    expect(fake.calls).toBe(0);
  });

  it("sends a small picture in fewer layers, and the highest of them in place of those above", async () => {
    const { fake, sender } = camera();
    await sender.replace(picture(640, 360));
    expect(fake.scales).toEqual([2, 1, 1]);
    await sender.demand([false, false, true]);
    expect(fake.active).toEqual([false, true, false]);
    await sender.replace(picture(720, 1280));
    expect(fake.scales).toEqual([4, 2, 1]);
    expect(fake.active).toEqual([false, false, true]);
  });

  it("knows one layer of a source that has no others", async () => {
    const { fake, sender } = camera(1);
    await sender.demand([false, false, true]);
    expect(fake.active).toEqual([true]);
    await sender.demand([false]);
    expect(fake.active).toEqual([false]);
  });

  it("never scales a screen", async () => {
    const { fake, sender } = camera(2, false);
    await sender.replace(picture(320, 180));
    expect(fake.calls).toBe(0);
    await sender.demand([false, true]);
    expect(fake.active).toEqual([false, true]);
  });

  it("keeps to what is watched when an answer turns all layers on", async () => {
    const { fake, sender } = camera();
    for (const encoding of fake.encodings) encoding.active = true;
    await sender.answered();
    expect(fake.active).toEqual([true, false, false]);
    await sender.demand([false, true, false]);
    for (const encoding of fake.encodings) encoding.active = true;
    await sender.answered();
    expect(fake.active).toEqual([false, true, false]);
  });

  it("goes on after a change that failed", async () => {
    const { fake, sender } = camera();
    const works = fake.setParameters;
    fake.setParameters = async () => {
      throw new DOMException("closed", "InvalidStateError");
    };
    await expect(sender.demand([true, true, true])).rejects.toThrow("closed");
    fake.setParameters = works;
    await sender.demand([false, true, false]);
    expect(fake.active).toEqual([false, true, false]);
  });
});
