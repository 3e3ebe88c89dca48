// Shared screens: beside the camera, legible, several at once, and an end to each.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { expectAccessible } from "./axe.ts";
import { launch, Person } from "./person.ts";
import { newRoom } from "./stack.ts";

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

test("two people share their screens beside their cameras", async (t) => {
  const room = await newRoom("Screens");
  const ada = await Person.arrive(browser, "Ada", { small: true });
  const ben = await Person.arrive(browser, "Ben", { small: true, window: { width: 1440, height: 900 } });
  await ada.join(room, "eu-west");
  await ben.join(room, "us-east");
  const [adaId, benId] = await Promise.all([ada.id(), ben.id()]);
  await ben.sees(adaId);

  await t.test("a screen comes beside the camera, at its full size", async () => {
    await ada.press("Share screen");
    await ada.page.getByText(/^You are sharing your screen/).waitFor();
    await ben.sees(adaId, "screen");
    await ben.sees(adaId);
    const captured = await ada.capturedSize();
    await ben.seesAtWidth(adaId, captured.width, "screen");
    assert.equal((await ben.incoming(adaId, "screen"))?.frameHeight, captured.height);
  });
  await t.test("it is the large picture, and the page stays accessible", async () => {
    await ben.page.locator(`.presented [data-participant="${adaId}"][data-source=screen]`).waitFor();
    await ben.page.locator(`.strip [data-participant="${adaId}"][data-source=camera]`).waitFor();
    await expectAccessible(ben.page);
    await expectAccessible(ada.page);
  });
  await t.test("a second one is shown, too, and either can be made large by keyboard", async () => {
    await ben.press("Share screen");
    await ada.sees(benId, "screen");
    await ben.sees(adaId, "screen");
    await ada.page.getByRole("button", { name: "Pin Ben", exact: true }).press("Enter");
    await ada.page.locator(`.presented [data-participant="${benId}"][data-source=camera]`).waitFor();
    await ada.page.getByRole("button", { name: "Unpin Ben", exact: true }).press("Enter");
    await ada.page.locator(`.presented [data-participant="${benId}"][data-source=screen]`).waitFor();
    await ada.sees(benId, "screen");
  });
  await t.test("it ends where it is shared, by either button", async () => {
    await ada.press("Stop sharing");
    await ben.page.locator("[data-source=screen]").waitFor({ state: "detached" });
    await ben.press("Share screen");
    await ada.page.locator("[data-source=screen]").waitFor({ state: "detached" });
    await ben.sees(adaId);
  });
  await t.test("a refusal is told kindly, and disturbs nothing", async () => {
    await ada.page.evaluate(() => {
      navigator.mediaDevices.getDisplayMedia = () =>
        Promise.reject(new DOMException("refused", "NotAllowedError"));
    });
    await ada.press("Share screen");
    await ada.page.getByText("Your screen is not shared.").waitFor();
    await ben.sees(adaId);
  });
  await Promise.all([ada.close(), ben.close()]);
});
