// The screen stays awake in a call, and may sleep after it.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { ScreenAwake } from "../src/call/wake-lock.ts";

let page: EventTarget & { visibilityState: string };
/** The locks that were given, and whether they are held. */
let locks: { held: boolean; release: () => Promise<void> }[];

beforeEach(() => {
  locks = [];
  page = Object.assign(new EventTarget(), { visibilityState: "visible" });
  const request = async () => {
    const lock = {
      held: true,
      release: async () => {
        lock.held = false;
      },
    };
    locks.push(lock);
    return lock;
  };
  vi.stubGlobal("document", page);
  vi.stubGlobal("navigator", { wakeLock: { request } });
});
afterEach(() => void vi.unstubAllGlobals());

const settle = () => new Promise((done) => setTimeout(done));
const show = async (visibilityState: string) => {
  page.visibilityState = visibilityState;
  page.dispatchEvent(new Event("visibilitychange"));
  await settle();
};

it("is held in a call, again after the page was hidden, and released with it", async () => {
  const awake = new ScreenAwake();
  awake.hold();
  await settle();
  expect(locks).toHaveLength(1);
  await show("hidden");
  expect(locks).toHaveLength(1);
  await show("visible");
  expect(locks).toHaveLength(2);
  awake.release();
  expect(locks.at(-1)?.held).toBe(false);
  await show("visible");
  expect(locks).toHaveLength(2);
});

it("is not held when the call ended before it was given", async () => {
  const awake = new ScreenAwake();
  awake.hold();
  awake.release();
  await settle();
  expect(locks.map(({ held }) => held)).toEqual([false]);
});

it("is asked for once at a time, so that none is left when the call ends", async () => {
  const awake = new ScreenAwake();
  awake.hold();
  // The browser has not answered yet.
  page.dispatchEvent(new Event("visibilitychange"));
  awake.release();
  awake.hold();
  await settle();
  expect(locks.map(({ held }) => held)).toEqual([true]);
  awake.release();
  expect(locks.map(({ held }) => held)).toEqual([false]);
});

it("is asked for again after a request that the browser refused", async () => {
  const { request } = navigator.wakeLock;
  vi.stubGlobal("navigator", { wakeLock: { request: () => Promise.reject(new Error("hidden")) } });
  const awake = new ScreenAwake();
  awake.hold();
  await settle();
  vi.stubGlobal("navigator", { wakeLock: { request } });
  await show("visible");
  expect(locks.map(({ held }) => held)).toEqual([true]);
});

it("is done without where the browser has none, or refuses", async () => {
  vi.stubGlobal("navigator", {});
  new ScreenAwake().hold();
  vi.stubGlobal("navigator", { wakeLock: { request: () => Promise.reject(new Error("low battery")) } });
  new ScreenAwake().hold();
  await settle();
});
