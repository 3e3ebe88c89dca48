// Figures, printed and not asserted: the time to join, the delay of a picture with and without a cascade hop, the size of the app.
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import type { Browser } from "playwright-core";
import { showTime, watchTime } from "./clock.ts";
import { print, summary } from "./figures.ts";
import { launch, Person } from "./person.ts";
import { newRoom } from "./stack.ts";

const JOINS = 20;

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

for (const [words, region] of [
  ["the same region", "eu-west"],
  ["another region", "us-east"],
] as const) {
  test(`time from Join to the first remote frame, ${words}`, async () => {
    const room = await newRoom("Joins");
    const ada = await Person.arrive(browser, "Ada");
    const ben = await Person.arrive(browser, "Ben");
    await ada.join(room, "eu-west");
    const times: number[] = [];
    const steps = new Map<string, number[]>();
    // One more than counted, as the first warms up.
    for (let index = 0; index <= JOINS; index++) {
      await ben.open(room, region);
      await ben.page.waitForFunction(() => document.querySelector("video") !== null);
      await ben.press("Join");
      await ben.page.waitForFunction(() => performance.getEntriesByName("connect:first-frame").length > 0);
      const marks = await ben.page.evaluate(() =>
        performance.getEntriesByType("mark").map(({ name, startTime }) => ({ name, startTime })),
      );
      const at = (name: string) =>
        marks.find((mark) => mark.name === `connect:${name}`)?.startTime ?? Number.NaN;
      if (index > 0) {
        times.push(at("first-frame") - at("join"));
        for (const { name, startTime } of marks.filter((mark) => mark.name.startsWith("connect:"))) {
          steps.set(name, [...(steps.get(name) ?? []), startTime - at("join")]);
        }
      }
      await ben.press("Leave");
    }
    print(`Join to first remote frame, ${words}: ${summary(times)}`);
    for (const [name, samples] of steps) print(`  ${name.padEnd(24)} ${summary(samples)}`);
    assert.equal(times.filter(Number.isFinite).length, JOINS);
    await Promise.all([ada.close(), ben.close()]);
  });
}

test("delay of a picture, and what a cascade hop adds", async () => {
  const delays = new Map<string, number[]>();
  for (const region of ["eu-west", "us-east"]) {
    const room = await newRoom("Delay");
    const ada = await Person.arrive(browser, "Ada");
    const ben = await Person.arrive(browser, "Ben");
    await ada.page.addInitScript(showTime);
    await ada.join(room, "eu-west");
    await ben.join(room, region);
    await ben.sees(await ada.id());
    const samples = await ben.page.evaluate(watchTime, await ada.id());
    assert.ok(samples.length > 100, `only ${samples.length} pictures could be read`);
    delays.set(region, samples);
    await Promise.all([ada.close(), ben.close()]);
  }
  const near = delays.get("eu-west") ?? [];
  const far = delays.get("us-east") ?? [];
  print(`Camera to screen through one node:  ${summary(near)}`);
  print(`Camera to screen through two nodes: ${summary(far)}`);
});

test("size of the web app, gzipped", async () => {
  const root = new URL("../../../", import.meta.url);
  const size = async (file: URL) => gzipSync(await readFile(file), { level: 9 }).length;
  const web = new Map<string, number>();
  for (const entry of await readdir(new URL("web/app/dist/", root), {
    recursive: true,
    withFileTypes: true,
  })) {
    if (!entry.isFile()) continue;
    const path = `${entry.parentPath}/${entry.name}`;
    web.set(path.slice(path.indexOf("/dist/") + 6), await size(new URL(`file://${path}`)));
  }
  const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`;
  const total = [...web.values()].reduce((sum, bytes) => sum + bytes, 0);
  print(`Web app: ${kilobytes(total)} in ${web.size} files`);
  for (const [path, bytes] of [...web].sort((a, b) => b[1] - a[1]).slice(0, 6))
    print(`  ${path}: ${kilobytes(bytes)}`);
  assert.ok(total > 0);
});
