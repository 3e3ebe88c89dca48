// Accounts and rooms, as people and scripts use them.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { launch, PATIENCE } from "./person.ts";
import { api, newAccount, URL_OF_APP } from "./stack.ts";

const account = newAccount("Test");
let browser: Browser;
before(async () => {
  browser = await launch();
  await api("/api/auth/register", account);
});
after(() => browser.close());

async function onLoginPage(check: (page: Page) => Promise<void>): Promise<void> {
  const page = await browser.newPage({ baseURL: URL_OF_APP });
  page.setDefaultTimeout(PATIENCE);
  await page.goto("/login");
  await check(page);
  await page.close();
}

test("signing in leads to /, creating a room leads to /call/<id>", () =>
  onLoginPage(async (page) => {
    await page.fill('input[name="email"]', account.email);
    await page.fill('input[name="password"]', account.password);
    await page.click('button[type="submit"]');
    await page.waitForURL(`${URL_OF_APP}/`);
    await page.click("text=Create Room");
    await page.fill('input[name="roomName"]', "Test Room");
    await page.click('button:has-text("Create")');
    await page.waitForURL(/\/call\/[a-z0-9-]+$/);
  }));

test("label texts lead to the fields, and the button is named Sign in", () =>
  onLoginPage(async (page) => {
    await page.getByLabel("Email").fill(account.email);
    await page.getByLabel("Password").fill(account.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("button", { name: "Create Room" }).waitFor();
  }));

test("a failed sign-in shows Login failed", () =>
  onLoginPage(async (page) => {
    await page.getByLabel("Email").fill(account.email);
    await page.getByLabel("Password").fill("not the password");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("Login failed").waitFor();
    assert.match(page.url(), /\/login$/);
  }));
