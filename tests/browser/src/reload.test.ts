// A page that is loaded anew in a call: the same participant for the others, with nobody told of a coming or going, and seen again.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { launch, Person } from "./person.ts";

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

test("a reload is the same participant", async (t) => {
  const ada = await Person.arrive(browser, "Ada");
  const room = await ada.createRoom("Over and over");
  await ada.join(room);
  const gil = await Person.stranger(browser, "Gil");
  await gil.joinAsGuest(room);
  await ada.counts(2);
  const [adaId, gilId] = [await ada.id(), await gil.id()];
  await ada.sees(gilId);
  await gil.sees(adaId);
  await ada.watches();

  await t.test("of a guest", async () => {
    await gil.page.reload();
    await gil.inCall();
    assert.equal(await gil.id(), gilId);
    await ada.sees(gilId);
    await gil.sees(adaId);
    assert.deepEqual(await ada.watched(), []);
  });
  await t.test("of the host, whose camera stays off", async () => {
    await gil.watches();
    await ada.turnOff("Camera");
    await ada.page.reload();
    await ada.inCall();
    assert.equal(await ada.id(), adaId);
    await ada.page.locator('[aria-label="Camera"][aria-pressed=false]').waitFor();
    await ada.sees(gilId);
    await gil.hears(adaId);
    assert.deepEqual(await gil.watched(), []);
    const roles = await gil.page.evaluate(() =>
      window.connect.state.get().participants.map(({ id, role }) => [id, role] as const),
    );
    assert.deepEqual(new Map(roles).get(adaId), "host");
  });
  await Promise.all([ada.close(), gil.close()]);
});
