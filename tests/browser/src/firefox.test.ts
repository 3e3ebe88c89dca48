// Chromium and Firefox in one call: each sees and hears the other.
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import type { Browser as Firefox } from "puppeteer-core";
import { FirefoxPerson, launchFirefox } from "./firefox.ts";
import { launch, Person } from "./person.ts";
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
  const fay = await FirefoxPerson.join(firefox, "Fay", room, "us-east");
  const [adaId, fayId] = await Promise.all([ada.id(), fay.id()]);

  await t.test("Firefox sees and hears Chromium", async () => {
    await fay.sees(adaId);
    await fay.hears(adaId);
  });
  await t.test("Chromium sees and hears Firefox", async () => {
    await ada.sees(fayId);
    await ada.hears(fayId);
  });
  await ada.close();
});
