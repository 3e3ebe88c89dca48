// What nobody watches does not cross between the nodes.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { launch, PATIENCE, Person } from "./person.ts";
import { metric, newRoom, node } from "./stack.ts";

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

test("video crosses only while its tile is shown", async () => {
  const room = await newRoom("Demand");
  const ada = await Person.arrive(browser, "Ada");
  const ben = await Person.arrive(browser, "Ben");
  await ada.join(room, "eu-west");
  await ben.join(room, "us-east");
  const id = await ada.id();
  await ben.sees(id);
  const away = await node((await ben.node()).id);

  await ben.page.evaluate(() => {
    document
      .querySelector<HTMLElement>("[data-source=camera]:not(.you)")
      ?.style.setProperty("display", "none");
  });
  await ben.seesNoMore(id);
  // A second of video is dozens of packets, a second of speech 50.
  const rate = async () => {
    const before = await metric(away, "connect_relay_packets_in_total");
    await ben.page.waitForTimeout(1_000);
    return (await metric(away, "connect_relay_packets_in_total")) - before;
  };
  const deadline = Date.now() + PATIENCE;
  let quiet = await rate();
  while (quiet > 60 && Date.now() < deadline) quiet = await rate();
  assert.ok(quiet <= 60, `${quiet} packets a second still cross`);

  await ben.page.evaluate(() => {
    document.querySelector<HTMLElement>("[data-source=camera]:not(.you)")?.style.removeProperty("display");
  });
  await ben.sees(id);
  await Promise.all([ada.close(), ben.close()]);
});
