// Each page for a keyboard, and for what a screen reader needs (axe's rules for WCAG 2.2 AA).
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { expectAccessible } from "./axe.ts";
import { launch, PATIENCE, Person } from "./person.ts";
import { newAccount, newRoom, URL_OF_APP } from "./stack.ts";

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

test("pages without an account", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  for (const path of ["/login", "/register", "/nowhere"]) {
    await page.goto(URL_OF_APP + path);
    await page.getByRole("heading").first().waitFor();
    await expectAccessible(page);
  }
  await context.close();
});

test("home, pre-join, call, chat and people", async () => {
  const person = await Person.arrive(browser, "Ada");
  const { page } = person;
  await page.goto(URL_OF_APP);
  await page.getByRole("button", { name: "Create Room" }).waitFor();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Create Room" }).click();
  await expectAccessible(page);
  const room = await newRoom("Accessible");
  await person.open(room);
  await expectAccessible(page);
  await person.press("Join");
  await page.getByRole("button", { name: "Leave", exact: true }).waitFor();
  await expectAccessible(page);
  await person.says("A line");
  await person.reads("A line");
  await expectAccessible(page);
  await person.press("People");
  await expectAccessible(page);
  await person.close();
});

test("from the sign-up to the end of a call by keyboard alone", async () => {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE);
  const account = newAccount("Kim");
  await page.goto(`${URL_OF_APP}/register`);
  await page.getByLabel("Name").waitFor();
  for (const [label, value] of [
    ["Name", account.name],
    ["Email", account.email],
    ["Password", account.password],
  ] as const) {
    await tabTo(page, label);
    await page.keyboard.type(value);
  }
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Create Room" }).waitFor();
  await tabTo(page, "Create Room");
  await page.keyboard.press("Enter");
  await page.keyboard.type("By keyboard");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Join", exact: true }).waitFor();
  await tabTo(page, "Join");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Leave", exact: true }).waitFor();
  await tabTo(page, "Microphone");
  await page.keyboard.press("Space");
  assert.equal(
    await page.getByRole("button", { name: "Microphone", exact: true }).getAttribute("aria-pressed"),
    "false",
  );
  await tabTo(page, "Chat");
  await page.keyboard.press("Enter");
  await tabTo(page, "Message");
  await page.keyboard.type("No mouse needed");
  await page.keyboard.press("Enter");
  await page.getByRole("log").getByText("No mouse needed").waitFor();
  await tabTo(page, "Leave");
  await page.keyboard.press("Enter");
  await page.getByText("You left the call").waitFor();
  await page.close();
});

/** Presses Tab until the element with this accessible name has the focus. */
async function tabTo(page: Page, name: string): Promise<void> {
  /** More stops than any page has. */
  const STOPS = 60;
  for (let stop = 0; stop < STOPS; stop++) {
    const focused = await page.evaluate(() => {
      const element = document.activeElement;
      const label = element instanceof HTMLInputElement ? element.labels?.[0]?.textContent : undefined;
      return (element?.getAttribute("aria-label") ?? label ?? element?.textContent ?? "").trim();
    });
    if (focused === name) return;
    await page.keyboard.press("Tab");
  }
  assert.fail(`Tab does not lead to ${name}`);
}
