// The ways on which media can reach the node, and what has become of each: facts of ICE, for somebody whom nothing reaches.

/** Straight to the node by UDP or TCP, or through a TURN server. */
export type Way = "udp" | "tcp" | "turn";

export interface TriedWay {
  readonly way: Way;
  /**
   * `unanswered`: it was tried, and nothing came back. `unreachable`: there is a TURN server, and it could not be reached.
   * `none`: there is nothing to try.
   */
  readonly outcome: "unanswered" | "unreachable" | "none";
}

export interface Candidates {
  /** The node's answer, with the candidates that it listens on. */
  readonly answer: string;
  /** Our own description, with the candidates that were gathered. */
  readonly local: string;
  /** The servers that were asked for a way; null if they are not known. */
  readonly servers: readonly RTCIceServer[] | null;
}

/** What was tried. TURN is left out while it is not known whether there is any. */
export function triedWays({ answer, local, servers }: Candidates): readonly TriedWay[] {
  const offered = (protocol: string) =>
    new RegExp(`^a=candidate:\\S+ \\d+ ${protocol} `, "im").test(answer) ? "unanswered" : "none";
  const straight: TriedWay[] = [
    { way: "udp", outcome: offered("udp") },
    { way: "tcp", outcome: offered("tcp") },
  ];
  if (servers === null) return straight;
  const relays = servers.some(({ urls }) => [urls].flat().some((url) => /^turns?:/i.test(url)));
  const relayed = /^a=candidate:.* typ relay\b/im.test(local);
  const turn = relays ? (relayed ? "unanswered" : "unreachable") : "none";
  return [...straight, { way: "turn", outcome: turn }];
}
