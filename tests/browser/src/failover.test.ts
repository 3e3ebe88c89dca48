// A media node dies without a word: media comes back, the chat was never gone.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { print } from "./figures.ts";
import { everybodyMeets, launch, Person } from "./person.ts";
import { newRoom, node } from "./stack.ts";

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

test("after SIGKILL of a node, its people see and hear again", async () => {
  const room = await newRoom("Fail-over");
  const ada = await Person.arrive(browser, "Ada");
  const ben = await Person.arrive(browser, "Ben");
  await ada.join(room, "eu-west");
  await ben.join(room, "us-east");
  await everybodyMeets([ada, ben]);
  await ada.says("Before");
  await ben.reads("Before");
  const [adaId, benId] = await Promise.all([ada.id(), ben.id()]);
  await Promise.all([watch(ada, benId), watch(ben, adaId)]);

  const doomed = await node((await ada.node()).id);
  assert.ok(doomed.pid > 0);
  const killed = Date.now();
  process.kill(doomed.pid, "SIGKILL");
  const back = await Promise.all([firstFrameAfterGap(ada), firstFrameAfterGap(ben)]);
  await everybodyMeets([ada, ben]);
  print(`Fail-over after SIGKILL: first new frame after ${back[0] - killed} ms and ${back[1] - killed} ms`);

  await ada.reads("Before");
  await ada.says("After");
  await ben.reads("After");
  assert.equal(await ada.id(), adaId, "the participant is still the same");
  await Promise.all([ada.close(), ben.close()]);
});

/** Notes, in the page, when the other's frames come and when they come again after a gap. */
async function watch(person: Person, other: string): Promise<void> {
  await person.page.evaluate((id) => {
    /** Longer than the slowest gap between frames of a living call on a busy machine. */
    const GAP_MS = 400;
    let last = Date.now();
    let seen: HTMLVideoElement | null = null;
    const onFrame = () => {
      const now = Date.now();
      if (now - last > GAP_MS) document.documentElement.dataset.back = String(now);
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

async function firstFrameAfterGap(person: Person): Promise<number> {
  const back = await person.page.waitForFunction(() => document.documentElement.dataset.back);
  return Number(await back.jsonValue());
}
