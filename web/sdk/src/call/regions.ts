// How far away the regions are: one STUN binding to a node of each, all at once, before anybody clicks.
import type { IceServers, Region } from "../generated/protocol.ts";

/** What has not answered after this time is far away. */
const WITHIN_MS = 300;
/** For so long what was measured holds on the same network. */
const GOOD_FOR_MS = 600_000;

export type RoundTrips = Record<Region, number>;

/** What tells that the network is another one; Firefox and Safari have no such thing. */
interface Network extends EventTarget {
  readonly type?: string;
  readonly effectiveType?: string;
}

/** What was found out about the way to a region; `time` is null if nothing came back in time. */
interface Measured {
  readonly until: number;
  readonly time: number | null;
}

/** The regions of one installation, as they are seen from here. */
export class Regions {
  #network = network();
  readonly #measured = new Map<Region, Measured>();
  #measuring: Promise<void> | null = null;

  /** Measures what was not measured lately on this network. It never fails, and nobody has to wait for it. */
  measure(probes: IceServers["probes"]): Promise<void> {
    this.#forget();
    const unknown = Object.entries(probes).filter(([region]) => !this.#measured.has(region));
    // Where there is no choice, there is nothing to know.
    if (unknown.length === 0 || Object.keys(probes).length < 2) return this.#measuring ?? Promise.resolve();
    this.#measuring ??= this.#measure(unknown).finally(() => {
      this.#measuring = null;
    });
    return this.#measuring;
  }

  /** What is known now, in milliseconds. While it is being measured, those are known that have answered: the nearest. */
  roundTrips(): RoundTrips {
    this.#forget();
    const known = [...this.#measured].flatMap(([region, { time }]) =>
      time === null ? [] : [[region, time] as const],
    );
    return Object.fromEntries(known);
  }

  /** What was measured on another network, or too long ago, is not known any more. */
  #forget(): void {
    const now = network();
    if (now !== this.#network) this.#measured.clear();
    this.#network = now;
    for (const [region, { until }] of this.#measured) {
      if (performance.now() >= until) this.#measured.delete(region);
    }
  }

  async #measure(probes: [Region, string[]][]): Promise<void> {
    const before = this.#network;
    const until = performance.now() + GOOD_FOR_MS;
    const silent: Region[] = [];
    const all = probes.map(async ([region, addresses]) => {
      const time = await roundTrip(addresses.map((address) => `stun:${address}`)).catch(() => null);
      if (before !== network()) return;
      if (time === null) silent.push(region);
      else this.#measured.set(region, { until, time });
    });
    await Promise.all(all);
    // Where nothing comes back at all, UDP may be blocked: the server goes by the address then, and is asked again.
    if (before !== network() || silent.length === probes.length) return;
    for (const region of silent) this.#measured.set(region, { until, time: null });
  }
}

const installations = new Map<string, Regions>();

/** The regions of the installation at this origin: what one call measured, the next one knows. */
export function regionsOf(origin: string): Regions {
  const known = installations.get(origin) ?? new Regions();
  installations.set(origin, known);
  return known;
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
  let late: ReturnType<typeof setTimeout> | undefined;
  try {
    return await new Promise<number | null>((done, failed) => {
      const begun = performance.now();
      late = setTimeout(() => done(null), WITHIN_MS);
      pc.onicecandidate = ({ candidate }) => {
        if (candidate?.type === "srflx") done(performance.now() - begun);
      };
      pc.createDataChannel("way");
      for (const kind of ["audio", "video"] as const) pc.addTransceiver(kind, { direction: "recvonly" });
      pc.setLocalDescription().catch(failed);
    });
  } finally {
    clearTimeout(late);
    pc.close();
  }
}
