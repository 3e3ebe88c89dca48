// Polls, raised hands, reactions and the spotlight, as two people who do them see them.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { expectAccessible } from "./axe.ts";
import { launch, Person, until } from "./person.ts";

let browser: Browser;
let ada: Person;
let ben: Person;
before(async () => {
  browser = await launch();
  ada = await Person.arrive(browser, "Ada", { small: true });
  const room = await ada.createRoom("Signals");
  await ada.join(room);
  ben = await Person.arrive(browser, "Ben", { small: true });
  await ben.join(room);
  await ada.counts(2);
});
after(() => browser.close());

test("a poll is asked, answered, changed and closed, and both see the counts", async () => {
  await ada.press("Polls");
  await ada.press("New poll");
  await ada.page.getByLabel("Question").fill("Tea?");
  await ada.page.getByLabel("Option 1").fill("Yes");
  await ada.page.getByLabel("Option 2").fill("No");
  await expectAccessible(ada.page);
  await ada.press("Start poll");
  const news = ben.page.locator('[aria-label="Polls"][data-badge="1"]');
  await news.click();
  await ben.page.getByRole("radio", { name: "Yes" }).check();
  await ben.press("Vote");
  await ada.page.getByText("1 vote").waitFor();
  await ben.page.getByRole("radio", { name: "No" }).check();
  await ben.press("Change vote");
  await ada.page.getByRole("radio", { name: "Yes" }).check();
  await ada.press("Vote");
  await ben.page.getByText("2 votes").waitFor();
  await expectAccessible(ben.page);
  await ada.press("Close poll");
  const results = ben.page.getByRole("list", { name: "Results" }).getByRole("listitem");
  await ben.page.getByText(/2 votes · Closed/).waitFor();
  const counts = await results.allTextContents();
  assert.deepEqual(
    counts.map((text) => text.replace(" (your vote)", "")),
    ["Yes1", "No1"],
  );
});

test("a hand is seen in the list of people, and the host lowers it", async () => {
  await ben.press("Raise hand");
  await ada.press("People");
  const hands = ada.page.getByRole("region", { name: "Raised hands" });
  await hands.getByText("Ben").waitFor();
  await expectAccessible(ada.page);
  await hands.getByRole("button", { name: /^Lower the hand of/ }).click();
  await ben.page.locator('[aria-label="Raise hand"][aria-pressed=false]').waitFor();
  await hands.waitFor({ state: "detached" });
});

test("a reaction is seen by both, with the name of who shows it, and goes", async () => {
  await ben.page.getByLabel("React", { exact: true }).click();
  await ben.press("Applause");
  await ben.page.keyboard.press("Escape");
  const shown = [ada, ben].map(({ page }) => page.getByRole("list", { name: "Reactions" }).getByText("Ben"));
  await Promise.all(shown.map((name) => name.waitFor()));
  await Promise.all(shown.map((name) => name.waitFor({ state: "detached" })));
});

test("who is put into the spotlight is large for everybody, and alike again", async () => {
  const benId = await ben.id();
  const width = async ({ page }: Person) =>
    (await page.locator(`[data-participant="${benId}"]`).boundingBox())?.width ?? 0;
  // Of two people oneself is small in a corner: in the spotlight one is large on one's own page, too.
  const small = await width(ben);
  const button = ada.page.getByRole("button", { name: /^Spotlight .*Ben.* for everybody/ });
  await button.click();
  await until("Ben's own picture is large", async () => (await width(ben)) > 2 * small);
  await ada.sees(benId);
  await expectAccessible(ada.page);
  await button.click();
  await until("it is small again", async () => (await width(ben)) < 1.2 * small);
});

test("on a phone the controls are one row, and a menu has the rarer ones with their words", async () => {
  const { page } = ben;
  await page.setViewportSize({ width: 390, height: 844 });
  const more = page.getByRole("button", { name: "More", exact: true });
  const row = page.locator("footer button:visible");
  const tops = await row.evaluateAll((buttons) =>
    buttons.map((button) => button.getBoundingClientRect().top),
  );
  assert.deepEqual([tops.length, new Set(tops).size], [7, 1]);
  await more.focus();
  await page.keyboard.press("Enter");
  await page.getByText("Captions", { exact: true }).waitFor();
  await expectAccessible(page);
  await page.getByRole("button", { name: "React", exact: true }).click();
  await page.keyboard.press("Escape");
  await page.getByText("Captions", { exact: true }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByText("Captions", { exact: true }).waitFor({ state: "hidden" });
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Notes", exact: true }).click();
  await page.getByRole("heading", { name: "Notes", exact: true }).waitFor();
  assert.ok(await more.evaluate((button) => button === document.activeElement));
  for (const width of [768, 1_280]) {
    await page.setViewportSize({ width, height: 800 });
    const all = await row.evaluateAll((buttons) =>
      buttons.map((button) => button.getBoundingClientRect().top),
    );
    assert.deepEqual([all.length, new Set(all).size], [12, 1], `${width} px wide`);
  }
});
