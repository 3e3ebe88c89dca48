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
  const crossing = (flows: number) =>
    until(`${flows} flows cross`, async () => {
      return (await metric(away, "connect_relay_flows", 'direction="in"')) === flows;
    });
  // Ada's voice and her picture.
  await crossing(2);

  await ben.page.evaluate(() => {
    document
      .querySelector<HTMLElement>("[data-source=camera]:not(.you)")
      ?.style.setProperty("display", "none");
  });
  await ben.seesNoMore(id);
  await crossing(1);

  await ben.page.evaluate(() => {
    document.querySelector<HTMLElement>("[data-source=camera]:not(.you)")?.style.removeProperty("display");
  });
  await ben.sees(id);
  await crossing(2);
  await Promise.all([ada.close(), ben.close()]);
});
