// The changes that we make to session descriptions.
import type { IceCredentials } from "../generated/protocol.ts";

/** A decoder plays one channel unless its own description asks for both (RFC 7587, section 6.1): any voice may be music. */
export function withStereo(offer: string): string {
  return ofEachMedia(offer, (media) => withOpusParameters(media, { stereo: "1" }));
}

/**
 * What our own Opus encoder is to do; browsers take it from the remote description (RFC 7587, section 6.1), so this is
 * applied to the answer. Everywhere it repairs losses (in-band FEC). Speech pauses in silence (discontinuous
 * transmission). `music` is the `mid` of a sound that is not speech: it has two channels, and its silence is sound.
 */
export function withOpusWishes(answer: string, music: string | null): string {
  return ofEachMedia(answer, (media) => {
    const isMusic = media.split(/\r?\n/).includes(`a=mid:${music}`);
    return withOpusParameters(media, { useinbandfec: "1", ...(isMusic ? { stereo: "1" } : { usedtx: "1" }) });
  });
}

/** The node's answer with other ICE credentials (RFC 8839, section 5.4): after an ICE restart, nothing else has changed. */
export function withIceCredentials(sdp: string, { ufrag, pwd }: IceCredentials): string {
  return sdp
    .replace(/^a=ice-ufrag:[^\r\n]*/gm, () => `a=ice-ufrag:${ufrag}`)
    .replace(/^a=ice-pwd:[^\r\n]*/gm, () => `a=ice-pwd:${pwd}`);
}

/** Changes each m-line with its attributes; what stands before the first stays. */
function ofEachMedia(sdp: string, change: (media: string) => string): string {
  return sdp
    .split(/^(?=m=)/m)
    .map(change)
    .join("");
}

/** Sets parameters of Opus where there is Opus; other lines stay as they are. */
function withOpusParameters(media: string, wanted: Readonly<Record<string, string>>): string {
  return [...media.matchAll(/^a=rtpmap:(\d+) opus\/48000/gim)].reduce((text, [, payloadType = ""]) => {
    const list = Object.entries(wanted).map(([name, value]) => `${name}=${value}`);
    const line = new RegExp(`^a=fmtp:${payloadType} ([^\\r\\n]*)`, "m");
    const former = line.exec(text)?.[1];
    if (former === undefined) {
      const rtpmap = new RegExp(`^a=rtpmap:${payloadType} [^\\r\\n]*`, "im");
      return text.replace(rtpmap, (found) => `${found}\r\na=fmtp:${payloadType} ${list.join(";")}`);
    }
    const kept = former.split(";").map((item) => item.trim());
    const others = kept.filter((item) => item !== "" && !((item.split("=")[0] ?? "") in wanted));
    return text.replace(line, () => `a=fmtp:${payloadType} ${[...others, ...list].join(";")}`);
  }, media);
}
