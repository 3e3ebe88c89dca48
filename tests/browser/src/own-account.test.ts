// One's own account in a browser: where one is signed in, another password, and the end.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { expectAccessible } from "./axe.ts";
import { launch, PATIENCE } from "./person.ts";
import { api, newAccount, URL_OF_APP } from "./stack.ts";

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

/** A browser's window at the page to sign in. */
async function open(): Promise<Page> {
  const page = await (await browser.newContext({ baseURL: URL_OF_APP })).newPage();
  page.setDefaultTimeout(PATIENCE);
  await page.goto("/login");
  return page;
}

async function signIn(page: Page, email: string, password: string): Promise<void> {
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

test("a session is ended from another browser, the password is another one, and the account is deleted", async (t) => {
  const account = newAccount("Ada");
  await api("/api/auth/register", account);
  const [here, there] = [await open(), await open()];
  for (const page of [here, there]) {
    await signIn(page, account.email, account.password);
    await page.getByRole("heading", { name: "Your rooms" }).waitFor();
  }
  const sessions = here.getByRole("listitem").filter({ hasText: /signed in/ });

  await t.test("sessions are listed, and others are ended", async () => {
    await here.goto("/account");
    await sessions.filter({ hasText: "This browser" }).waitFor();
    // Two browsers, and the registration.
    assert.equal(await sessions.count(), 3);
    await expectAccessible(here);
    await here.getByRole("button", { name: "Sign out everywhere else" }).click();
    await sessions.nth(1).waitFor({ state: "detached" });
    assert.equal(await sessions.count(), 1);
    await there.reload();
    await there.getByRole("heading", { name: "Welcome back" }).waitFor();
  });
  await t.test("another password asks for the one of now, which no longer counts", async () => {
    await here.getByLabel("Password of now").fill("not that one");
    await here.getByLabel("New password").fill("as long as the other one");
    await here.getByRole("button", { name: "Change password" }).click();
    await here.getByText("This is not the account's password.").waitFor();
    await expectAccessible(here);
    await here.getByLabel("Password of now").fill(account.password);
    await here.getByRole("button", { name: "Change password" }).click();
    await here.getByText("Saved. You are signed out everywhere else.").waitFor();
    await signIn(there, account.email, account.password);
    await there.getByText("Login failed").waitFor();
    await signIn(there, account.email, "as long as the other one");
    await there.getByRole("heading", { name: "Your rooms" }).waitFor();
  });
  await t.test("a deleted account is gone for all its browsers", async () => {
    await here.getByRole("button", { name: "Delete my account" }).click();
    await expectAccessible(here);
    await here.getByLabel("Your password").fill("as long as the other one");
    await here.getByRole("button", { name: "Delete for good" }).click();
    await here.getByRole("heading", { name: "Welcome back" }).waitFor();
    await there.reload();
    await there.getByRole("heading", { name: "Welcome back" }).waitFor();
    await signIn(there, account.email, "as long as the other one");
    await there.getByText("Login failed").waitFor();
  });
});

test("the page for developers can be used by keyboard and screen reader", async () => {
  const account = newAccount("Dev");
  await api("/api/auth/register", account);
  const page = await open();
  await signIn(page, account.email, account.password);
  await page.getByRole("heading", { name: "Your rooms" }).waitFor();
  await page.goto("/developers");
  await page.getByRole("heading", { level: 1 }).waitFor();
  await expectAccessible(page);
});
