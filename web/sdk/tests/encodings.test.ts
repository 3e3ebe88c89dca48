// Layers: sizes and rates of each, and which of them are encoded.
import { describe, expect, it } from "vitest";
import {
  activeLayers,
  cameraEncodings,
  cameraScales,
  STANDARD_ENCODING,
  screenEncodings,
  sentLayers,
} from "../src/call/encodings.ts";

describe("the camera's layers", () => {
  it("rise in quality, and only the lowest is on at first", () => {
    const layers = cameraEncodings(STANDARD_ENCODING);
    expect(layers.map(({ rid }) => rid)).toEqual(["q", "h", "f"]);
    expect(layers.map(({ scaleResolutionDownBy }) => scaleResolutionDownBy)).toEqual([4, 2, 1]);
    expect(layers.map(({ active }) => active)).toEqual([true, false, false]);
    const rates = layers.map(({ maxBitrate }) => maxBitrate ?? 0);
    expect(rates).toEqual(rates.toSorted((a, b) => a - b));
  });

  it("are one for codecs that are not sent as simulcast, with layers inside by choice", () => {
    expect(
      cameraEncodings({ ...STANDARD_ENCODING, codec: "vp9", scalabilityMode: "L3T3_KEY" }),
    ).toMatchObject([{ scalabilityMode: "L3T3_KEY" }]);
    expect(cameraEncodings({ ...STANDARD_ENCODING, codec: "av1" })[0]).not.toHaveProperty("scalabilityMode");
    expect(cameraEncodings({ ...STANDARD_ENCODING, codec: "h264" })).toHaveLength(3);
  });

  it("are one of middle size by choice", () => {
    expect(cameraEncodings({ ...STANDARD_ENCODING, simulcast: false })).toMatchObject([
      { scaleResolutionDownBy: 2 },
    ]);
    expect(screenEncodings({ ...STANDARD_ENCODING, simulcast: false })).toHaveLength(1);
  });

  it("are as many as a picture is worth", () => {
    expect([1080, 720, 540, 480, 270, 180].map((side) => sentLayers(side, 3))).toEqual([3, 3, 3, 2, 2, 1]);
    expect(sentLayers(undefined, 3)).toBe(3);
    expect(sentLayers(180, 1)).toBe(1);
  });

  it("end at the camera's own size, however few they are", () => {
    expect(cameraScales(720, 3)).toEqual([4, 2, 1]);
    expect(cameraScales(360, 3)).toEqual([2, 1, 1]);
    expect(cameraScales(180, 3)).toEqual([1, 1, 1]);
  });

  it("that are wanted are on; a wish for more than there are means the highest", () => {
    expect(activeLayers([true, false, true], 3)).toEqual([true, false, true]);
    expect(activeLayers([false, false, true], 2)).toEqual([false, true, false]);
    expect(activeLayers([true, false, true], 1)).toEqual([true, false, false]);
    expect(activeLayers([false, false, false], 1)).toEqual([false, false, false]);
  });
});

describe("the screen's layers", () => {
  it("all have its full size, and differ in frame rate", () => {
    const layers = screenEncodings(STANDARD_ENCODING);
    expect(layers.map(({ rid }) => rid)).toEqual(["q", "f"]);
    expect(layers.map(({ scaleResolutionDownBy }) => scaleResolutionDownBy)).toEqual([1, 1]);
    expect(layers.map(({ maxFramerate }) => maxFramerate)).toEqual([5, 30]);
  });
});
