// Answers, changed for our encoders.
import { describe, expect, it } from "vitest";
import { withIceCredentials, withOpusRepairAndSilence } from "../src/call/sdp.ts";

describe("an answer", () => {
  it("makes our Opus encoder repair and pause, and stays the same otherwise", () => {
    const sdp = [
      "m=audio 9 UDP/TLS/RTP/SAVPF 111",
      "a=rtpmap:111 opus/48000/2",
      "a=fmtp:111 minptime=10;useinbandfec=1",
      "m=video 9 UDP/TLS/RTP/SAVPF 96",
      "a=rtpmap:96 VP8/90000",
      "",
    ].join("\r\n");
    const expected = sdp.replace("useinbandfec=1", "useinbandfec=1;usedtx=1");
    expect(withOpusRepairAndSilence(sdp)).toBe(expected);
    expect(withOpusRepairAndSilence(expected)).toBe(expected);
  });

  it("gains the parameters where it has none", () => {
    const sdp = "m=audio 9 X 96\r\na=rtpmap:96 opus/48000/2\r\na=sendrecv\r\n";
    expect(withOpusRepairAndSilence(sdp)).toContain(
      "opus/48000/2\r\na=fmtp:96 useinbandfec=1;usedtx=1\r\na=sendrecv",
    );
  });
});

it("takes the node's new ICE credentials into its answer, and changes nothing else", () => {
  const answer = "a=ice-lite\r\na=ice-ufrag:old\r\na=ice-pwd:o$1d\r\na=mid:0\r\na=ice-ufrag:old\r\n";
  expect(withIceCredentials(answer, { ufrag: "new", pwd: "n$&w" })).toBe(
    "a=ice-lite\r\na=ice-ufrag:new\r\na=ice-pwd:n$&w\r\na=mid:0\r\na=ice-ufrag:new\r\n",
  );
});
