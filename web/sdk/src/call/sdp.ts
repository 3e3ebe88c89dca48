// The two changes that we make to a session description.
import type { IceCredentials } from "../generated/protocol.ts";

/**
 * Asks our own Opus encoder for discontinuous transmission and in-band FEC (RFC 7587, section 6.1). Browsers take
 * both from the remote description, so this is applied to the answer. Other lines stay as they are.
 */
export function withOpusRepairAndSilence(sdp: string): string {
  const payloadTypes = [...sdp.matchAll(/^a=rtpmap:(\d+) opus\/48000/gim)].map(
    ([, payloadType = ""]) => payloadType,
  );
  return [...new Set(payloadTypes)].reduce(withParameters, sdp);
}

/** The node's answer with other ICE credentials (RFC 8839, section 5.4): after an ICE restart, nothing else has changed. */
export function withIceCredentials(sdp: string, { ufrag, pwd }: IceCredentials): string {
  return sdp
    .replace(/^a=ice-ufrag:[^\r\n]*/gm, () => `a=ice-ufrag:${ufrag}`)
    .replace(/^a=ice-pwd:[^\r\n]*/gm, () => `a=ice-pwd:${pwd}`);
}

const PARAMETERS = ["useinbandfec=1", "usedtx=1"];

function withParameters(sdp: string, payloadType: string): string {
  const line = new RegExp(`^a=fmtp:${payloadType} ([^\\r\\n]*)`, "gm");
  if (!line.test(sdp)) {
    const rtpmap = new RegExp(`^a=rtpmap:${payloadType} [^\\r\\n]*`, "gim");
    return sdp.replace(rtpmap, (found) => `${found}\r\na=fmtp:${payloadType} ${PARAMETERS.join(";")}`);
  }
  return sdp.replace(line, (_, list: string) => {
    const kept = list.split(";").map((item) => item.trim());
    const names = PARAMETERS.map((parameter) => parameter.split("=")[0]);
    const others = kept.filter((item) => item !== "" && !names.includes(item.split("=")[0]));
    return `a=fmtp:${payloadType} ${[...others, ...PARAMETERS].join(";")}`;
  });
}
