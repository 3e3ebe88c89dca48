// Codecs: each once, in the order that says which is sent.
import { describe, expect, it } from "vitest";
import { audioCodecs, receivingCodecs, sendingCodecs } from "../src/call/codecs.ts";

const codec = (mimeType: string, sdpFmtpLine?: string) =>
  ({ mimeType, clockRate: 90_000, ...(sdpFmtpLine && { sdpFmtpLine }) }) as RTCRtpCodec;
const H264 = "level-asymmetry-allowed=1;packetization-mode=";
/** What a browser lists, in its order. */
const BROWSER = [
  codec("video/VP8"),
  codec("video/rtx"),
  codec("video/H264", `${H264}1;profile-level-id=42001f`),
  codec("video/H264", `${H264}0;profile-level-id=42e01f`),
  codec("video/H264", `${H264}1;profile-level-id=42e01f`),
  codec("video/AV1", "level-idx=5;profile=0;tier=0"),
  codec("video/AV1", "level-idx=5;profile=1;tier=0"),
  codec("video/VP9", "profile-id=0"),
  codec("video/VP9", "profile-id=2"),
  codec("video/red"),
];
const names = (codecs: readonly RTCRtpCodec[]) =>
  codecs.map(({ mimeType, sdpFmtpLine }) => [mimeType, sdpFmtpLine].filter(Boolean).join(" "));

describe("codecs", () => {
  it("of a sender are the chosen one, the common one and repair", () => {
    expect(names(sendingCodecs("vp8", BROWSER))).toEqual(["video/VP8", "video/rtx"]);
    expect(names(sendingCodecs("vp9", BROWSER))).toEqual([
      "video/VP9 profile-id=0",
      "video/VP8",
      "video/rtx",
    ]);
  });

  it("of a receiver are all that somebody may send, in their common form", () => {
    expect(names(receivingCodecs(BROWSER))).toEqual([
      "video/VP8",
      `video/H264 ${H264}1;profile-level-id=42e01f`,
      "video/VP9 profile-id=0",
      "video/AV1 level-idx=5;profile=0;tier=0",
      "video/rtx",
    ]);
  });

  it("that the browser lacks are left out", () => {
    const few = BROWSER.filter(({ mimeType }) => /vp8|rtx/i.test(mimeType));
    expect(names(sendingCodecs("av1", few))).toEqual(["video/VP8", "video/rtx"]);
    expect(sendingCodecs("av1", [])).toEqual([]);
  });

  it("for sound are Opus alone", () => {
    expect(names(audioCodecs([codec("audio/opus"), codec("audio/red"), codec("audio/PCMU")]))).toEqual([
      "audio/opus",
    ]);
  });
});
