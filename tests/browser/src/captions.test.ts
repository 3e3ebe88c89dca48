// Captions: fed in one region, shown in another; interim words are replaced, a screen reader hears what is final, and the node
// takes none of whom the room does not allow.
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

/** Over the tiles. In the panel stand the same lines, for phones, where it lies over them. */
const shown = (person: Person) => person.page.locator(".captions:not(.in-panel)");

test("what one says is read by the other", async (t) => {
  const ada = await Person.arrive(browser, "Ada");
  const room = await ada.createRoom("Captioned");
  await ada.join(room, "eu-west", { camera: false });
  const ben = await Person.arrive(browser, "Ben");
  await ben.join(room, "us-east", { camera: false });
  await ada.hears(await ben.id());

  await t.test("typed by a captioner, in a language", async () => {
    await ada.press("Captions");
    await ada.page.getByRole("checkbox", { name: "Show captions" }).check();
    await ben.press("Captions");
    await ben.page.getByRole("textbox", { name: /^Language/ }).fill("de");
    await ben.page.getByLabel("Who says what I type").selectOption({ label: "Ada" });
    const caption = ben.page.getByRole("textbox", { name: "Caption" });
    await caption.fill("Guten Morgen allerseits.");
    await caption.press("Enter");
    const line = shown(ada).getByText("Guten Morgen allerseits.");
    await line.waitFor();
    assert.equal(await line.getAttribute("lang"), "de");
    await shown(ada)
      .getByText(/You \(written by .*Ben/)
      .or(shown(ada).getByText(/Ada \(written by .*Ben/))
      .waitFor();
    await expectAccessible(ada.page);
    await expectAccessible(ben.page);
    assert.equal(await shown(ben).count(), 0);
  });

  await t.test("word by word, each in the place of the one before", async () => {
    const feed = (text: string, final: boolean, id?: number) =>
      ben.page.evaluate(
        ([text, final, id]) =>
          window.connect.captions.feed({ text, language: "en", final, ...(id && { id }) }),
        [text, final, id] as const,
      );
    const id = await feed("So this", false);
    await shown(ada).getByText("So this").waitFor();
    const log = ada.page.getByRole("log", { name: "Captions" });
    assert.equal(await log.getByText("So this").count(), 0);
    await feed("So this is it.", true, id);
    await shown(ada).getByText("So this is it.").waitFor();
    await log.getByText("So this is it.").waitFor();
    assert.equal(await shown(ada).getByText("So this").count(), 1);
    await ada.page.getByRole("combobox", { name: "Language" }).selectOption("de");
    await shown(ada).getByText("So this is it.").waitFor({ state: "detached" });
    await ada.page.getByRole("combobox", { name: "Language" }).selectOption("");
  });

  await t.test("and by nobody whom the room does not allow it", async () => {
    await ada.page.evaluate(() => window.connect.configure({ captions: "moderators" }));
    await ben.page.getByText("You cannot feed captions here.").waitFor();
    await ben.page.evaluate(() => window.connect.captions.feed({ text: "All the same", language: "en" }));
    await ada.page.evaluate(() => window.connect.configure({ captions: "everybody" }));
    await ben.page.getByRole("textbox", { name: "Caption" }).waitFor();
    await ben.page.evaluate(() => window.connect.captions.feed({ text: "Allowed again", language: "en" }));
    await shown(ada).getByText("Allowed again").waitFor();
    assert.equal(await shown(ada).getByText("All the same").count(), 0);
  });
  await ada.close();
  await ben.close();
});
