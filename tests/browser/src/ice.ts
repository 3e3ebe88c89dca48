// Which way a page's media takes, as its own statistics tell.
import type { Page } from "playwright-core";

interface Candidate {
  readonly candidateType: string;
  readonly protocol: string;
  /** The server that it came from, if it is a relayed one. */
  readonly url?: string;
}

/** Keeps an eye on the page's connections; before it is opened. */
export function watchIce(page: Page): Promise<unknown> {
  return page.addInitScript(() => {
    const connections: RTCPeerConnection[] = [];
    window.RTCPeerConnection = class extends RTCPeerConnection {
      constructor(configuration?: RTCConfiguration) {
        super(configuration);
        // Those that only measure the way to a region carry nothing.
        if (configuration?.bundlePolicy !== "max-compat") connections.push(this);
      }
    };
    Object.assign(window, { connections });
  });
}

/** The candidate that the page's last connection for media sends from. */
export function localCandidate(page: Page): Promise<Candidate | undefined> {
  return page.evaluate(async () => {
    const { connections } = window as unknown as { connections: RTCPeerConnection[] };
    const statistics = [...((await connections.at(-1)?.getStats())?.values() ?? [])];
    const transport = statistics.find((one) => one.type === "transport");
    const pair = statistics.find((one) => one.id === transport?.selectedCandidatePairId);
    const { candidateType, protocol, url } =
      statistics.find((one) => one.id === pair?.localCandidateId) ?? {};
    return { candidateType, protocol, url };
  });
}
