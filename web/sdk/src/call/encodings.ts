// The layers in which video is encoded: their sizes, rates and bitrates, and which of them are on.
import type { VideoCodec } from "./codecs.ts";

/** How video is encoded. */
export interface VideoEncoding {
  /** VP8 and H.264 are sent as simulcast, VP9 and AV1 as a single stream. */
  readonly codec: VideoCodec;
  /** For VP9 and AV1: layers inside of the stream (W3C WebRTC SVC), such as `L3T3_KEY`; null for none. */
  readonly scalabilityMode: string | null;
  /** Whether VP8 and H.264 are sent in layers; without, in one of middle size. */
  readonly simulcast: boolean;
}

export const STANDARD_ENCODING: VideoEncoding = { codec: "vp8", scalabilityMode: null, simulcast: true };

const FRAME_RATE = 30;
/** 320 × 180, 640 × 360 and 1280 × 720, when the camera gives as much. */
const CAMERA_BITRATES = [150_000, 500_000, 1_700_000] as const;
const CAMERA_SCALES = [4, 2, 1] as const;
const CAMERA_RIDS = ["q", "h", "f"] as const;
/** Both of a screen's layers have all its pixels: its text stays legible on a narrow path, and moves less often. The lower
 * one leaves room for sound on a path of 300 kbit/s. */
const SCREEN_LAYERS = [
  { rid: "q", maxBitrate: 180_000, maxFramerate: 5 },
  { rid: "f", maxBitrate: 2_500_000, maxFramerate: FRAME_RATE },
] as const;

/** With fewer pixels on the short side a browser drops layers by itself, and not the ones that we would: so we choose. */
const THREE_LAYERS_FROM = 540;
const TWO_LAYERS_FROM = 270;

/**
 * The camera's layers, the lowest first. Only the lowest is on until the node says what is watched: a first picture
 * needs no more, and costs little where nobody looks.
 */
export function cameraEncodings({
  codec,
  scalabilityMode,
  simulcast,
}: VideoEncoding): RTCRtpEncodingParameters[] {
  if (!hasSimulcast(codec)) return [single(CAMERA_BITRATES[2], scalabilityMode)];
  if (!simulcast) return [{ ...single(CAMERA_BITRATES[1], null), scaleResolutionDownBy: CAMERA_SCALES[1] }];
  return CAMERA_RIDS.map((rid, layer) => ({
    rid,
    active: layer === 0,
    scaleResolutionDownBy: CAMERA_SCALES[layer] ?? 1,
    maxBitrate: CAMERA_BITRATES[layer] ?? 0,
    maxFramerate: FRAME_RATE,
  }));
}

/** The screen's layers, the lowest first: they differ in frame rate, never in size. */
export function screenEncodings({
  codec,
  scalabilityMode,
  simulcast,
}: VideoEncoding): RTCRtpEncodingParameters[] {
  if (!hasSimulcast(codec) || !simulcast) return [single(SCREEN_LAYERS[1].maxBitrate, scalabilityMode)];
  return SCREEN_LAYERS.map((layer, index) => ({ ...layer, active: index === 0, scaleResolutionDownBy: 1 }));
}

/** By how much each of `layers` camera layers is scaled down, so that the highest that is sent has the camera's own size. */
export function cameraScales(side: number | undefined, layers: number): number[] {
  const sent = sentLayers(side, layers);
  return Array.from({ length: layers }, (_, layer) => 2 ** Math.max(0, sent - 1 - layer));
}

/** How many of `layers` camera layers a picture with this short side is worth. */
export function sentLayers(side: number | undefined, layers: number): number {
  if (side === undefined || side >= THREE_LAYERS_FROM) return layers;
  return Math.min(layers, side >= TWO_LAYERS_FROM ? 2 : 1);
}

/** The layers to encode out of those that are wanted, when only the lowest `sent` exist: a higher one means the highest. */
export function activeLayers(wanted: readonly boolean[], sent: number): boolean[] {
  const above = wanted.slice(sent).some(Boolean);
  return wanted.map((on, layer) => layer < sent && (on || (above && layer === sent - 1)));
}

function hasSimulcast(codec: VideoCodec): boolean {
  return codec === "vp8" || codec === "h264";
}

function single(maxBitrate: number, scalabilityMode: string | null): RTCRtpEncodingParameters {
  const mode = scalabilityMode === null ? {} : { scalabilityMode };
  return { maxBitrate, maxFramerate: FRAME_RATE, ...mode };
}
