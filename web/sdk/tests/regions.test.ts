// Measuring the regions: which time counts, what is known at which time, and when it is measured anew.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Regions, regionsOf } from "../src/call/regions.ts";

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

it("measures all at once, and tells at any time what is known by then", async () => {
  const regions = new Regions();
  void regions.measure(PROBES);
  expect(regions.roundTrips()).toEqual({});
  await vi.advanceTimersByTimeAsync(20);
  expect(regions.roundTrips()).toEqual({ near: 20 });
  await vi.advanceTimersByTimeAsync(280);
  expect(regions.roundTrips()).toEqual({ near: 20, far: 180 });
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
  expect(regions.roundTrips()).toEqual({});
  expect(await measure()).toBe(6);
  await vi.advanceTimersByTimeAsync(600_000);
  expect(regions.roundTrips()).toEqual({});
  expect(await measure()).toBe(9);
});

it("measures what is new beside what is known", async () => {
  const regions = new Regions();
  // A room that is bound to two of them.
  void regions.measure({ far: PROBES.far, gone: PROBES.gone });
  await vi.advanceTimersByTimeAsync(300);
  void regions.measure(PROBES);
  await vi.advanceTimersByTimeAsync(300);
  expect(made).toBe(3);
  expect(regions.roundTrips()).toEqual({ near: 20, far: 180 });
});

it("says nothing where nothing answers, or where there is no choice", async () => {
  delays = {};
  const regions = new Regions();
  void regions.measure(PROBES);
  await vi.advanceTimersByTimeAsync(300);
  expect(regions.roundTrips()).toEqual({});
  await regions.measure({ near: ["10.0.0.1:1"] });
  expect(made).toBe(3);
  void regions.measure(PROBES);
  expect(made).toBe(6);
});

it("is one for all calls of an installation", () => {
  expect(regionsOf("https://a.example")).toBe(regionsOf("https://a.example"));
  expect(regionsOf("https://a.example")).not.toBe(regionsOf("https://b.example"));
});
