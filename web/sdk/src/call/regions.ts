// How far away the regions are: one STUN binding to a node of each, all at once, before anybody clicks.
import type { IceServers, Region } from "../generated/protocol.ts";

/** Nobody waits for longer than this. A region that has not answered by then is far away. */
const WITHIN_MS = 300;
/** For so long what was measured holds on the same network. */
const GOOD_FOR_MS = 600_000;

export type RoundTrips = Record<Region, number>;

/** What tells that the network is another one; Firefox and Safari have no such thing. */
interface Network extends EventTarget {
  readonly type?: string;
  readonly effectiveType?: string;
}

export class Regions {
  #measured: { readonly at: number; readonly network: string; readonly roundTrips: RoundTrips } | null = null;
  #measuring: Promise<void> | null = null;

  /** Measures, unless that was done lately on this network. It never fails. */
  measure(probes: IceServers["probes"]): Promise<void> {
    if (this.#known() !== null || Object.keys(probes).length < 2) return Promise.resolve();
    this.#measuring ??= this.#measure(probes).finally(() => {
      this.#measuring = null;
    });
    return this.#measuring;
  }

  /** What was measured, in milliseconds; waits for what is being measured, which is not long. */
  async roundTrips(): Promise<RoundTrips> {
    await this.#measuring;
    return this.#known() ?? {};
  }

  #known(): RoundTrips | null {
    const known = this.#measured;
    const good = known !== null && performance.now() < known.at + GOOD_FOR_MS && known.network === network();
    return good ? known.roundTrips : null;
  }

  async #measure(probes: IceServers["probes"]): Promise<void> {
    const before = network();
    const all = Object.entries(probes).map(async ([region, addresses]) => {
      const time = await roundTrip(addresses.map((address) => `stun:${address}`));
      return time === null ? [] : [[region, time] as const];
    });
    const roundTrips = Object.fromEntries((await Promise.all(all)).flat());
    // Where nothing comes back at all, UDP may be blocked: the server goes by the address then, and is asked again.
    if (Object.keys(roundTrips).length === 0) return;
    this.#measured = { at: performance.now(), network: network(), roundTrips };
    if (before !== network()) this.#measured = null;
  }
}

/** What the network is, as far as the browser says. */
function network(): string {
  const { connection, onLine } = navigator as Navigator & { connection?: Network };
  return `${onLine} ${connection?.type} ${connection?.effectiveType}`;
}

/** In milliseconds, until an address of ours comes back from there; null if none does in time. */
async function roundTrip(urls: string[]): Promise<number | null> {
  // A port for each of several m-lines asks by itself: a node sends no more bytes to an address than come from it, and one request
  // is shorter than its answer.
  const pc = new RTCPeerConnection({ bundlePolicy: "max-compat", iceServers: [{ urls }] });
  try {
    return await new Promise<number | null>((done, failed) => {
      const begun = performance.now();
      setTimeout(() => done(null), WITHIN_MS);
      pc.onicecandidate = ({ candidate }) => {
        if (candidate?.type === "srflx") done(performance.now() - begun);
      };
      pc.createDataChannel("way");
      for (const kind of ["audio", "video"] as const) pc.addTransceiver(kind, { direction: "recvonly" });
      pc.setLocalDescription().catch(failed);
    });
  } catch {
    return null;
  } finally {
    pc.close();
  }
}
