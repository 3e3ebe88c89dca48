// Measuring the regions: which time counts, how long anybody waits, and when it is measured anew.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Regions } from "../src/call/regions.ts";

/** After how many milliseconds each address answers; never if it is not here. */
let delays: Record<string, number>;
let made: number;
let closed: number;
let network: { type: string };
const PROBES = { near: ["10.0.0.1:1"], far: ["10.0.0.2:1"], gone: ["10.0.0.3:1"] };

class Way {
  onicecandidate: ((event: { candidate: { type: string } | null }) => void) | null = null;
  constructor(readonly configuration: RTCConfiguration) {
    made += 1;
  }
  createDataChannel() {}
  addTransceiver() {}
  async setLocalDescription() {
    this.onicecandidate?.({ candidate: { type: "host" } });
    const url = this.configuration.iceServers?.[0]?.urls[0] ?? "";
    const delay = delays[url.replace("stun:", "")];
    if (delay === undefined) return;
    setTimeout(() => this.onicecandidate?.({ candidate: { type: "srflx" } }), delay);
  }
  close() {
    closed += 1;
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  [made, closed] = [0, 0];
  network = { type: "wifi" };
  delays = { "10.0.0.1:1": 20, "10.0.0.2:1": 180, "10.0.0.3:1": 400 };
  vi.stubGlobal("RTCPeerConnection", Way);
  vi.stubGlobal("navigator", { onLine: true, connection: network });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it("measures all at once, and waits 300 ms for none of them", async () => {
  const regions = new Regions();
  void regions.measure(PROBES);
  let times: Record<string, number> | null = null;
  void regions.roundTrips().then((measured) => {
    times = measured;
  });
  await vi.advanceTimersByTimeAsync(299);
  expect(times).toBeNull();
  await vi.advanceTimersByTimeAsync(1);
  expect(times).toEqual({ near: 20, far: 180 });
  expect([made, closed]).toEqual([3, 3]);
});

it("remembers for ten minutes what it measured on a network", async () => {
  const regions = new Regions();
  const measure = async () => {
    void regions.measure(PROBES);
    await vi.advanceTimersByTimeAsync(300);
    return made;
  };
  expect(await measure()).toBe(3);
  expect(await measure()).toBe(3);
  network.type = "cellular";
  expect(await regions.roundTrips()).toEqual({});
  expect(await measure()).toBe(6);
  await vi.advanceTimersByTimeAsync(600_000);
  expect(await measure()).toBe(9);
});

it("says nothing where nothing answers, or where there is no choice", async () => {
  delays = {};
  const regions = new Regions();
  void regions.measure(PROBES);
  await vi.advanceTimersByTimeAsync(300);
  expect(await regions.roundTrips()).toEqual({});
  await regions.measure({ near: ["10.0.0.1:1"] });
  expect(made).toBe(3);
});
