// The own devices in a call: chosen while it goes on, and released when it is over.
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

/** Microphone and camera as they are captured now. */
const captured = (person: Person) =>
  person.page.evaluate(() => {
    const { microphone, camera } = window.connect.local.state.get();
    return [microphone.track, camera.track].map((track) => track?.getSettings().deviceId ?? null);
  });

test("devices are chosen in the call, and released with it", async (t) => {
  const ada = await Person.arrive(browser, "Ada");
  const room = await ada.createRoom("Devices");
  await ada.join(room);
  const ben = await Person.arrive(browser, "Ben");
  await ben.join(room);
  const [adaId, benId] = await Promise.all([ada.id(), ben.id()]);
  await ada.hears(benId);

  await t.test("another microphone is heard as the one before it", async () => {
    await ben.press("Devices");
    await expectAccessible(ben.page);
    const list = ben.page.getByLabel("Audio input");
    const others = await list
      .locator("option:not(:checked)")
      .evaluateAll((options) => options.map((option) => (option as HTMLOptionElement).value));
    const other = others.at(-1);
    assert.ok(other, "the browser has a second microphone");
    await list.selectOption(other);
    await ben.page.waitForFunction(
      (id) => window.connect.local.state.get().microphone.track?.getSettings().deviceId === id,
      other,
    );
    await ben.page.keyboard.press("Escape");
    await ben.page.getByLabel("Audio input").waitFor({ state: "detached" });
    await ada.hears(benId);
  });

  await t.test("two presses while the camera starts leave it off, for others too", async () => {
    await ben.turnOff("Camera");
    const camera = ben.page.getByRole("button", { name: "Camera", exact: true });
    await camera.dblclick();
    await ada.page.waitForFunction(
      (id) =>
        window.connect.state.get().participants.find((person) => person.id === id)?.publishing.camera ===
        false,
      benId,
    );
    assert.equal(await camera.getAttribute("aria-pressed"), "false");
    assert.equal((await captured(ben))[1], null);
    await camera.click();
    await ada.sees(benId);
  });

  await t.test("who has left is not captured any more, and is again after coming back", async () => {
    const tracks = await ben.page.evaluateHandle(() => {
      const { microphone, camera } = window.connect.local.state.get();
      return [microphone.track, camera.track];
    });
    await ben.press("Leave");
    await ben.page.getByText("You left the call").waitFor();
    assert.deepEqual(await tracks.evaluate((all) => all.map((track) => track?.readyState)), [
      "ended",
      "ended",
    ]);
    await ben.press("Rejoin");
    await ben.page.getByRole("button", { name: "Leave", exact: true }).waitFor();
    await ben.sees(adaId);
    const back = await ben.id();
    await ada.sees(back);
    await ada.hears(back);
  });
  await Promise.all([ada.close(), ben.close()]);
});
