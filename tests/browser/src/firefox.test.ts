// Chromium and Firefox in one call: each sees and hears the other, and dynacast works in both.
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import type { Browser as Firefox } from "puppeteer-core";
import { FirefoxPerson, launchFirefox } from "./firefox.ts";
import { launch, Person, until } from "./person.ts";
import { newRoom } from "./stack.ts";

let chromium: Browser;
let firefox: Firefox;
before(async () => {
  [chromium, firefox] = await Promise.all([launch(), launchFirefox()]);
});
after(() => Promise.all([chromium.close(), firefox.close()]));

test("Chromium and Firefox have a call", async (t) => {
  const room = await newRoom("Two browsers");
  const ada = await Person.arrive(chromium, "Ada");
  await ada.join(room, "eu-west");
  const fay = await FirefoxPerson.join(firefox, "Fay", room, { region: "us-east" });
  const [adaId, fayId] = await Promise.all([ada.id(), fay.id()]);

  await t.test("Firefox sees and hears Chromium", async () => {
    await fay.sees(adaId);
    await fay.hears(adaId);
  });
  await t.test("Chromium sees and hears Firefox", async () => {
    await ada.sees(fayId);
    await ada.hears(fayId);
  });
  await t.test("Firefox encodes no picture that nobody watches, and begins again", async () => {
    const tile = ada.page.locator(`[data-participant="${fayId}"][data-source=camera]`);
    await tile.evaluate((element) => (element as HTMLElement).style.setProperty("display", "none"));
    await ada.seesNoMore(fayId);
    const frames = () =>
      fay.page.evaluate(async () => {
        const { outgoing } = await window.connect.statistics();
        return outgoing.reduce((sum, layer) => sum + layer.framesEncoded, 0);
      });
    let last = { frames: -1, at: Date.now() };
    await until("Firefox encodes nothing", async () => {
      const now = await frames();
      if (now !== last.frames) last = { frames: now, at: Date.now() };
      return Date.now() - last.at > 1_000;
    });
    await tile.evaluate((element) => (element as HTMLElement).style.removeProperty("display"));
    await ada.sees(fayId);
  });
  await ada.close();
});

test("Firefox changes its codec for whoever cannot play it", async () => {
  const room = await newRoom("Two codecs");
  const fay = await FirefoxPerson.join(firefox, "Fay", room, { region: "eu-west", codec: "vp9" });
  const ada = await Person.arrive(chromium, "Ada", { small: true });
  await ada.join(room, "eu-west");
  const fayId = await fay.id();
  await ada.seesIn(fayId, "VP9");

  const ben = await Person.arrive(chromium, "Ben", { small: true, lacks: "VP9" });
  await ben.join(room, "eu-west");
  await ben.seesIn(fayId, "VP8");
  await ada.seesIn(fayId, "VP8");
  await fay.sees(await ben.id());
  await Promise.all([ada.close(), ben.close()]);
});
