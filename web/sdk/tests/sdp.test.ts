// Session descriptions, changed for our encoders and decoders.
import { describe, expect, it } from "vitest";
import { withIceCredentials, withOpusWishes, withStereo } from "../src/call/sdp.ts";

const lines = (...all: string[]) => `${all.join("\r\n")}\r\n`;
const SPEECH = ["m=audio 9 X 111", "a=mid:0", "a=rtpmap:111 opus/48000/2", "a=fmtp:111 minptime=10"];
const VIDEO = ["m=video 9 X 96", "a=mid:1", "a=rtpmap:96 VP8/90000"];
const MUSIC = ["m=audio 9 X 111", "a=mid:13", "a=rtpmap:111 opus/48000/2", "a=fmtp:111 useinbandfec=1"];
const sdp = lines("v=0", ...SPEECH, ...VIDEO, ...MUSIC);

describe("an answer", () => {
  it("makes our Opus encoder repair, pause in speech, and keep both channels of music", () => {
    const expected = sdp
      .replace("minptime=10", "minptime=10;useinbandfec=1;usedtx=1")
      .replace("111 useinbandfec=1\r\n", "111 useinbandfec=1;stereo=1\r\n");
    expect(withOpusWishes(sdp, "13")).toBe(expected);
    expect(withOpusWishes(expected, "13")).toBe(expected);
  });

  it("knows the m-line of music by its whole name", () => {
    expect(withOpusWishes(sdp, "1")).not.toContain("stereo=1");
    expect(withOpusWishes(sdp, null)).not.toContain("stereo=1");
  });

  it("gains the parameters where it has none", () => {
    const bare = "m=audio 9 X 96\r\na=rtpmap:96 opus/48000/2\r\na=sendrecv\r\n";
    expect(withOpusWishes(bare, null)).toContain(
      "opus/48000/2\r\na=fmtp:96 useinbandfec=1;usedtx=1\r\na=sendrecv",
    );
  });
});

it("an offer asks for both channels of any sound", () => {
  expect(withStereo(sdp)).toBe(
    sdp
      .replace("minptime=10", "minptime=10;stereo=1")
      .replace("111 useinbandfec=1", "111 useinbandfec=1;stereo=1"),
  );
});

it("takes the node's new ICE credentials into its answer, and changes nothing else", () => {
  const answer = "a=ice-lite\r\na=ice-ufrag:old\r\na=ice-pwd:o$1d\r\na=mid:0\r\na=ice-ufrag:old\r\n";
  expect(withIceCredentials(answer, { ufrag: "new", pwd: "n$&w" })).toBe(
    "a=ice-lite\r\na=ice-ufrag:new\r\na=ice-pwd:n$&w\r\na=mid:0\r\na=ice-ufrag:new\r\n",
  );
});
