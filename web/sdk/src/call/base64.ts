// Bytes as base64 (RFC 4648), and back.

/** As many bytes as a call of a function takes as arguments anywhere. */
const AT_ONCE = 8_192;

export function toBase64(bytes: Uint8Array): string {
  let units = "";
  for (let from = 0; from < bytes.length; from += AT_ONCE) {
    units += String.fromCharCode(...bytes.subarray(from, from + AT_ONCE));
  }
  return btoa(units);
}

/** Throws if it is none. */
export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (unit) => unit.charCodeAt(0));
}
