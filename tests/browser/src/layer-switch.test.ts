// A tile that grows gets a larger picture, and a smaller one when it shrinks, without standing still in between.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { launch, Person, until } from "./person.ts";
import { newRoom } from "./stack.ts";

/** A viewer takes this for a hang. */
const FREEZE_SECONDS = 1;

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

for (const codec of ["VP8", "H264"]) {
  test(`the picture follows the size of its tile, without a freeze, in ${codec}`, async () => {
    const room = await newRoom("Switch");
    const ada = await Person.arrive(browser, "Ada");
    const ben = await Person.arrive(browser, "Ben", { window: { width: 1440, height: 900 } });
    await ada.join(room, "eu-west", { codec: codec.toLowerCase() });
    await ben.join(room, "us-east", { camera: false });
    const id = await ada.id();
    const frozen = async () => (await ben.incoming(id))?.frozenSeconds ?? Number.NaN;

    await ben.sees(id);
    await ben.resizeTile(id, 320, 180);
    await ben.seesAtWidth(id, 320);
    assert.equal((await ben.incoming(id))?.codec, `video/${codec}`);
    for (const [width, height] of [
      [1280, 720],
      [320, 180],
      [640, 360],
      [1280, 720],
    ] as const) {
      const before = await frozen();
      await ben.resizeTile(id, width, height);
      await ben.seesAtWidth(id, width);
      assert.ok(
        (await frozen()) - before < FREEZE_SECONDS,
        `the switch to ${width} pixels froze the picture`,
      );
    }
    let told: number | null = null;
    await until("Ben's node tells how long his pictures stood still", async () => {
      told = await ben.page.evaluate(() => window.connect.state.get().report?.frozen ?? null);
      return told !== null;
    });
    assert.ok(told !== null && told < 0.5, `${told} of the time`);
    await Promise.all([ada.close(), ben.close()]);
  });
}
