// The owner's word holds, whatever the other client does.
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

test("the owner mutes somebody, lets them speak again, and sends them out", async (t) => {
  const ada = await Person.arrive(browser, "Ada");
  const room = await ada.createRoom("Moderated");
  await ada.join(room, "eu-west");
  const ben = await Person.arrive(browser, "Ben");
  await ben.join(room, "us-east");
  const benId = await ben.id();
  await ada.hears(benId);
  const microphone = ben.page.getByRole("button", { name: "Microphone", exact: true });

  await t.test("who is muted softly sees by whom, and may undo it", async () => {
    await ada.press("People");
    await ada.press("Moderate Ben");
    await expectAccessible(ada.page);
    await ada.press("Mute");
    await ben.page.getByText("Ada muted you.").waitFor();
    await ada.hearsNoMore(benId);
    await ben.press("Unmute");
    await ben.page.getByText("Ada muted you.").waitFor({ state: "detached" });
    await ada.hears(benId);
  });
  await t.test("who is asked to unmute decides", async () => {
    await ada.press("Mute all");
    await ada.hearsNoMore(benId);
    await ada.press("Ask to unmute");
    await ben.page.getByText("Ada asks you to unmute.").waitFor();
    await expectAccessible(ben.page);
    await ben.press("Not now");
    assert.equal(await microphone.getAttribute("aria-pressed"), "false");
    await ada.press("Ask to unmute");
    await ben.press("Unmute");
    await ada.hears(benId);
  });
  await t.test("who is muted for good sees it, and cannot undo it", async () => {
    await ada.press("Forbid to speak");
    await ben.page.getByText("A moderator muted you").waitFor();
    await ada.hearsNoMore(benId);
    await microphone.click({ force: true });
    assert.equal(await microphone.getAttribute("aria-pressed"), "false");
  });
  await t.test("not even a client that sends all the same is heard", async () => {
    await ben.page.evaluate(() => {
      window.connect.local.allow("microphone", true);
      return window.connect.local.turn("microphone", true);
    });
    await ada.hearsNoMore(benId);
  });
  await t.test("who may speak again decides when", async () => {
    await ben.page.evaluate(() => window.connect.local.turn("microphone", false));
    await ada.press("Allow to speak");
    await ben.page.getByText("A moderator muted you").waitFor({ state: "detached" });
    await microphone.click();
    await ada.hears(benId);
  });
  await t.test("whose video is stopped shows neither camera nor screen", async () => {
    await ben.press("Share screen");
    const sharing = ben.page.getByText(/^You are sharing your screen/);
    await sharing.waitFor();
    await ada.press("Forbid video");
    await ben.page.getByText("A moderator has turned off your video").waitFor();
    await sharing.waitFor({ state: "detached" });
    assert.equal(await ada.page.getByRole("button", { name: "Forbid screen sharing" }).count(), 0);
    await ada.press("Allow video");
    await ben.page.getByText("A moderator has turned off your video").waitFor({ state: "detached" });
  });
  await t.test("who is sent out is out, and cannot come straight back", async () => {
    await ada.press("Remove");
    await ada.press("Yes, remove");
    await ben.page.getByText("You were removed from the call").waitFor();
    await ada.counts(1);
    await ben.open(room);
    await ben.press("Join");
    await ben.page.getByText("You could not join").waitFor();
  });
  await t.test("only the owner is offered any of this", async () => {
    const cid = await Person.arrive(browser, "Cid");
    await cid.join(room);
    await cid.press("People");
    await cid.counts(2);
    assert.equal(await cid.page.getByRole("button", { name: /^Moderate/ }).count(), 0);
    await cid.close();
  });
  await Promise.all([ada.close(), ben.close()]);
});
