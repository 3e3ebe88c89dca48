// Which codecs an m-line offers, and in which order: the first is the one that is sent.

/** A codec for video. */
export type VideoCodec = "vp8" | "h264" | "vp9" | "av1";

/** In the order in which receiving m-lines offer them: what is sent first, if nobody has a wish. */
export const VIDEO: readonly VideoCodec[] = ["vp8", "h264", "vp9", "av1"];

/** The codec that every browser and every node has. */
const COMMON: VideoCodec = "vp8";

/**
 * What a sending m-line offers: the chosen codec, then the common one for nodes or browsers that lack it, and RTX.
 * Offering no others keeps the SDP short.
 */
export function sendingCodecs(codec: VideoCodec, all: readonly RTCRtpCodec[]): RTCRtpCodec[] {
  return videoCodecs([codec, COMMON], all);
}

/** What a receiving m-line offers: whatever anybody may send. */
export function receivingCodecs(all: readonly RTCRtpCodec[]): RTCRtpCodec[] {
  return videoCodecs(VIDEO, all);
}

/** Opus, the only codec for sound. */
export function audioCodecs(all: readonly RTCRtpCodec[]): RTCRtpCodec[] {
  return all.filter(({ mimeType }) => /^audio\/opus$/i.test(mimeType));
}

/** Those of a browser's codecs for video, in the form in which they are sent here. */
export function videoCodecsAmong(all: readonly RTCRtpCodec[]): VideoCodec[] {
  return VIDEO.filter((name) => all.some((codec) => isCommonFormOf(name, codec)));
}

function videoCodecs(wanted: readonly VideoCodec[], all: readonly RTCRtpCodec[]): RTCRtpCodec[] {
  const chosen = [...new Set(wanted)].flatMap(
    (name) => all.find((codec) => isCommonFormOf(name, codec)) ?? [],
  );
  const repair = all.find(({ mimeType }) => /^video\/rtx$/i.test(mimeType));
  return repair === undefined || chosen.length === 0 ? chosen : [...chosen, repair];
}

/** Whether this is the codec in the one form that all browsers know: browsers list H.264 and VP9 once per profile. */
function isCommonFormOf(name: VideoCodec, { mimeType, sdpFmtpLine = "" }: RTCRtpCodec): boolean {
  if (mimeType.toLowerCase() !== `video/${name}`) return false;
  switch (name) {
    case "h264":
      // Constrained baseline, with packetization mode 1 (RFC 6184, section 8.1).
      return /profile-level-id=42[c-f]0/i.test(sdpFmtpLine) && sdpFmtpLine.includes("packetization-mode=1");
    case "vp9":
      return !/profile-id=[1-9]/.test(sdpFmtpLine);
    case "av1":
      return !/profile=[1-9]/.test(sdpFmtpLine);
    case "vp8":
      return true;
  }
}
