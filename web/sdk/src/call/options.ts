// What can be chosen of a call when it is made.
import type { Region } from "../generated/protocol.ts";
import type { ChoiceStorage } from "./choices.ts";
import type { VideoCodec } from "./codecs.ts";
import { STANDARD_ENCODING, type VideoEncoding } from "./encodings.ts";

/** As many videos as the largest layout shows at once. */
export const VIDEO_SLOTS = 9;

export interface CallOptions {
  /** The region that media should come from; null to let Connect choose. */
  region?: Region | null;
  /** How many videos can be shown at once. */
  videoSlots?: number;
  /** How camera and screen are encoded: VP8 simulcast unless told otherwise. */
  videoCodec?: VideoCodec;
  /** For VP9 and AV1: layers inside of the single stream, such as `L3T3_KEY`. */
  scalabilityMode?: string | null;
  /** Whether VP8 and H.264 are sent in layers, of which each viewer gets the one that fits. */
  simulcast?: boolean;
  /** Where the choice of devices is kept from call to call, such as `localStorage`; nowhere unless told otherwise. */
  storage?: ChoiceStorage | null;
  /** Where a page that is loaded anew finds its way back, such as `sessionStorage`; nowhere unless told otherwise. */
  tab?: ChoiceStorage | null;
}

/** How a room is entered. */
export interface Joining {
  /** The call goes on here, and ends where else its user has it. */
  moveHere?: boolean;
  /** The room's password, as it was typed; the one of the join before unless told otherwise. */
  password?: string | null;
}

/** How video is encoded with these options. */
export function encodingOf({ videoCodec, scalabilityMode, simulcast }: CallOptions): VideoEncoding {
  return {
    codec: videoCodec ?? STANDARD_ENCODING.codec,
    scalabilityMode: scalabilityMode ?? STANDARD_ENCODING.scalabilityMode,
    simulcast: simulcast ?? STANDARD_ENCODING.simulcast,
  };
}
