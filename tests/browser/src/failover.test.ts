// A media node dies without a word, or stands still: media comes back, the chat was never gone.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { print, summary } from "./figures.ts";
import { everybodyMeets, launch, Person, until } from "./person.ts";
import { metric, type NodeInfo, newRoom, node, nodes } from "./stack.ts";

/** How often each is tried: `CONNECT_TRIES=20 cargo xtask test --only browser` prints the figures of a series. */
const TRIES = Number(process.env.CONNECT_TRIES ?? 3);
const REGIONS = 3;

declare global {
  interface Window {
    gaps: { from: number; to: number }[];
  }
}

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

test("after SIGKILL of a node, its people see and hear again", { timeout: TRIES * 60_000 }, async () => {
  const gaps = await series("Killed", (pid) => process.kill(pid, "SIGKILL"));
  print(`Fail-over after SIGKILL: first new frame after ${summary(gaps)}: ${gaps.join(", ")}`);
});

test("after SIGSTOP of a node, its people see and hear again", { timeout: TRIES * 60_000 }, async () => {
  const stopped: number[] = [];
  const gaps = await series(
    "Frozen",
    (pid) => {
      process.kill(pid, "SIGSTOP");
      stopped.push(pid);
    },
    () => {
      for (const pid of stopped.splice(0)) process.kill(pid, "SIGCONT");
    },
  );
  print(`Fail-over after SIGSTOP: first new frame after ${summary(gaps)}: ${gaps.join(", ")}`);
});

/** Fails the first person's node over and over; returns how long each of two people saw nothing new, in milliseconds. */
async function series(name: string, fail: (pid: number) => void, mend = () => {}): Promise<number[]> {
  const room = await newRoom(name);
  const ada = await Person.arrive(browser, "Ada");
  const ben = await Person.arrive(browser, "Ben");
  await ada.join(room, "eu-west");
  await ben.join(room, "us-east");
  await everybodyMeets([ada, ben]);
  await ada.says("Before");
  await ben.reads("Before");
  const [adaId, benId] = await Promise.all([ada.id(), ben.id()]);
  await Promise.all([watch(ada, benId), watch(ben, adaId)]);

  const gaps: number[] = [];
  try {
    for (let tried = 0; tried < TRIES; tried++) {
      await everyNodeServes();
      await everybodyMeets([ada, ben]);
      const doomed = await node((await ada.node()).id);
      assert.ok(doomed.pid > 0);
      const failed = Date.now();
      fail(doomed.pid);
      await ada.leaves(doomed.id);
      await everybodyMeets([ada, ben]);
      for (const person of [ada, ben]) gaps.push((await firstFrameAfterGap(person, failed)) - failed);
      mend();
    }
  } finally {
    mend();
  }

  await everybodyMeets([ada, ben]);
  await ada.reads("Before");
  await ada.says("After");
  await ben.reads("After");
  assert.equal(await ada.id(), adaId, "the participant is still the same");
  await Promise.all([ada.close(), ben.close()]);
  return gaps;
}

/** Waits until a node of each region runs and is registered. */
async function everyNodeServes(): Promise<void> {
  const serves = async (info: NodeInfo) =>
    info.metrics !== "" && (await metric(info, "connect_registered").catch(() => 0)) === 1;
  await until("all nodes serve", async () => {
    const all = await nodes();
    return all.length === REGIONS && (await Promise.all(all.map(serves))).every(Boolean);
  });
}

/** Notes, in the page, the gaps between the other's frames. */
async function watch(person: Person, other: string): Promise<void> {
  await person.page.evaluate((id) => {
    window.gaps = [];
    let last = Date.now();
    let seen: HTMLVideoElement | null = null;
    const onFrame = () => {
      const now = Date.now();
      window.gaps.push({ from: last, to: now });
      last = now;
      seen?.requestVideoFrameCallback(onFrame);
    };
    // The element is another one once the stream is: look for it again and again.
    setInterval(() => {
      const video = document.querySelector<HTMLVideoElement>(
        `[data-participant="${id}"][data-source=camera] video`,
      );
      if (video === seen || video === null) return;
      seen = video;
      video.requestVideoFrameCallback(onFrame);
    }, 10);
  }, other);
}

/** When the longest gap was over that ended since then: that between the last old frame and the first new one. */
async function firstFrameAfterGap(person: Person, since: number): Promise<number> {
  return person.page.evaluate((since) => {
    const gaps = window.gaps.filter(({ to }) => to > since);
    window.gaps = [];
    return gaps.reduce((a, b) => (b.to - b.from > a.to - a.from ? b : a)).to;
  }, since);
}
