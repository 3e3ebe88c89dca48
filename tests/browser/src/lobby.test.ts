// The lobby: who comes waits in words, the host sees who knocks, lets one in and refuses the other.
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

test("who comes waits until the host lets them in, and sees and hears from then on", async (t) => {
  const ada = await Person.arrive(browser, "Ada");
  const room = await ada.createRoom("Practice");
  await ada.join(room);
  await t.test("the host opens a lobby, and gives the room a password", async () => {
    await ada.press("People");
    await ada.page.getByText("Room settings").click();
    await ada.page.getByLabel("Who comes waits to be let in").check();
    await ada.page.getByLabel("Password", { exact: true }).fill("sesame");
    await expectAccessible(ada.page);
    await ada.press("Save");
    await ada.page.getByLabel("Another password").waitFor();
    assert.ok(await ada.page.getByLabel("Who comes waits to be let in").isChecked());
  });
  const [ben, cid] = await Promise.all([Person.arrive(browser, "Ben"), Person.arrive(browser, "Cid")]);
  await t.test("who knows the password waits, and sees nothing of the call", async () => {
    for (const person of [ben, cid]) {
      await person.open(room);
      await person.press("Join");
      await person.page.getByLabel("Room password").fill("sesame");
      await person.press("Try again");
      await person.page.getByText("Waiting to be let in").waitFor();
    }
    await expectAccessible(ben.page);
    const { participants, chat } = await ben.page.evaluate(() => window.connect.state.get());
    assert.deepEqual([participants, chat], [[], []]);
    await ada.counts(1);
  });
  await t.test("the host lets one in, who meets everybody", async () => {
    await expectAccessible(ada.page);
    await ada.press("Admit Ben");
    await ben.page.getByRole("button", { name: "Leave", exact: true }).waitFor();
    const [adaId, benId] = [await ada.id(), await ben.id()];
    await ben.sees(adaId);
    await ben.hears(adaId);
    await ada.sees(benId);
    await ada.hears(benId);
  });
  await t.test("who is refused is told so, and may ask again", async () => {
    await ada.press("Refuse Cid");
    await cid.page.getByText("You were not let in").waitFor();
    await cid.press("Ask again");
    await ada.press("Admit Cid");
    await cid.page.getByRole("button", { name: "Leave", exact: true }).waitFor();
    await ada.counts(3);
  });
  await Promise.all([ada.close(), ben.close(), cid.close()]);
});
