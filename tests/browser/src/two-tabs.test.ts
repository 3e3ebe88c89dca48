// Two tabs of one user are two people in the room: both are told so, the second one's microphone is off, and the call can be moved.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { expectAccessible } from "./axe.ts";
import { launch, Person } from "./person.ts";

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

const ALREADY = "You are in this call already, in another tab or on another device.";
const TOO = /You are in this call in another tab or on another device, too/;

test("two tabs of one user are two people, and are told so", async (t) => {
  const ben = await Person.arrive(browser, "Ben", { small: true });
  const room = await ben.createRoom("Twice");
  await ben.join(room);
  const ada = await Person.arrive(browser, "Ada", { small: true });
  await ada.join(room);
  await ben.counts(2);
  const tab = await ada.tab();

  await t.test("before they join, and once they have, in both tabs", async () => {
    await tab.page.goto(ada.page.url());
    await tab.page.getByText(ALREADY).waitFor();
    await expectAccessible(tab.page);
    await tab.press("Join here as well");
    for (const one of [tab, ada]) await one.page.getByText(TOO).waitFor();
    await ben.counts(3);
    assert.notEqual(await tab.id(), await ada.id());
    assert.equal(await tab.user(), await ada.user());
  });
  await t.test("the second is muted, so that the room does not howl; both are seen", async () => {
    await tab.page.locator('[aria-label="Microphone"][aria-pressed=false]').waitFor();
    await ada.page.locator('[aria-label="Microphone"][aria-pressed=true]').waitFor();
    for (const one of [ada, tab]) await ben.sees(await one.id());
    await ben.page.getByText(TOO).waitFor({ state: "detached" });
  });
  await t.test("the call is moved to one of them", async () => {
    await tab.press("Move the call here");
    await ada.page.getByText("The call goes on in another tab or on another device").waitFor();
    await ben.counts(2);
    await tab.page.getByText(TOO).waitFor({ state: "detached" });
    await ben.hears(await tab.id());
  });
  await Promise.all([ben.close(), ada.close()]);
});
