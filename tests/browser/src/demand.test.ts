// What nobody watches does not cross between the nodes.
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { launch, Person, until } from "./person.ts";
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
  await ben.hears(id);
  const away = await node((await ben.node()).id);
  const packets = () => metric(away, "connect_relay_packets_in_total");
  const flows = () => metric(away, "connect_relay_flows", 'direction="in"');
  // The metrics are of the last report: wait for those that were made while all crossed, sound included.
  for (const report of ["first", "second", "third"]) {
    const before = await packets();
    await until(`more packets cross, ${report} report`, async () => (await packets()) > before);
  }
  const shown = await flows();

  await ben.page.evaluate(() => {
    document
      .querySelector<HTMLElement>("[data-source=camera]:not(.you)")
      ?.style.setProperty("display", "none");
  });
  await ben.seesNoMore(id);
  await until("the picture's flow ends", async () => (await flows()) === shown - 1);

  await ben.page.evaluate(() => {
    document.querySelector<HTMLElement>("[data-source=camera]:not(.you)")?.style.removeProperty("display");
  });
  await ben.sees(id);
  await until("the picture's flow is back", async () => (await flows()) === shown);
  await Promise.all([ada.close(), ben.close()]);
});
