// Pages and calls while the session of their browser ends, or gives way to another one.
import { after, before, test } from "node:test";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { launch, PATIENCE, Person } from "./person.ts";
import { api, newAccount, newRoom, URL_OF_APP } from "./stack.ts";

type Account = ReturnType<typeof newAccount>;

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

/** An account that is made, and not signed in anywhere. */
async function register(name: string): Promise<Account> {
  const account = newAccount(name);
  await api("/api/auth/register", account);
  return account;
}

/** Another tab, with the rooms or the sign-in page. */
async function openTab(context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  await page.goto(URL_OF_APP);
  return page;
}

async function signIn(page: Page, account: Account): Promise<void> {
  await page.getByLabel("Email").fill(account.email);
  await page.getByLabel("Password").fill(account.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Your rooms" }).waitFor();
}

async function signOut(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Email").waitFor();
}

/** From now on the access token of a page's requests has expired, or not. */
async function expire(page: Page, path: string): Promise<{ end(): Promise<void> }> {
  await page.route(path, (route) =>
    route.fulfill({
      status: 401,
      contentType: "application/problem+json",
      body: JSON.stringify({ type: "/problems/unauthenticated", title: "Expired", status: 401, detail: "" }),
    }),
  );
  return { end: () => page.unroute(path) };
}

test("a browser stays signed in through reloads, however fast they follow", async () => {
  const context = await browser.newContext();
  const page = await openTab(context);
  await signIn(page, await register("Ada"));
  // Each reload sends a refresh, of which the next one cuts off the answer.
  for (let i = 0; i < 5; i++) {
    const asked = page.waitForRequest("**/api/auth/refresh");
    await page.reload({ waitUntil: "commit" });
    await asked;
  }
  await page.getByRole("heading", { name: "Your rooms" }).waitFor();
  await context.close();
});

test("a page does not become somebody else's unnoticed", async () => {
  const context = await browser.newContext();
  const page = await openTab(context);
  await signIn(page, await register("Ada"));
  const other = await openTab(context);
  await signOut(other);
  await signIn(other, await register("Bob"));
  const expired = await expire(page, "**/api/rooms");
  await page.getByRole("button", { name: "Create Room" }).click();
  await page.getByLabel("Room name").fill("Ada's room");
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await page.getByRole("heading", { name: "Another account is signed in" }).waitFor();
  await expired.end();
  await page.getByRole("button", { name: "Go on with that account" }).click();
  await page.getByText("Bob", { exact: true }).waitFor();
  await context.close();
});

test("a call outlives the session of its page, and takes up the next one", async () => {
  const room = await newRoom("Signed out");
  const account = await register("Ada");
  const ada = await Person.arrive(browser, "Ada");
  const ben = await Person.arrive(browser, "Ben");
  const context = ada.page.context();
  const tab = await openTab(context);
  await signOut(tab);
  await signIn(tab, account);
  const line = await breakable(ada.page);
  await ada.join(room);
  await ben.join(room);
  const benId = await ben.id();
  await ada.sees(benId);

  // Signed out in another tab; then her connection to the room is lost for so long that only a new ticket helps.
  await signOut(tab);
  const expired = await expire(ada.page, "**/api/rooms/*/join");
  line.break();
  await ada.page.getByText("You are signed out").waitFor();
  await ada.sees(benId);

  line.mend();
  await expired.end();
  await signIn(tab, account);
  await ada.page.bringToFront();
  await ada.page.evaluate(() => dispatchEvent(new Event("focus")));
  await ada.page.getByText("You are signed out").waitFor({ state: "hidden" });
  await ben.says("Are you there?");
  await ada.reads("Are you there?");
  await Promise.all([ada.close(), ben.close()]);
});

/** The connections of a page to its room, which can be broken: then none by which it resumes comes about. */
async function breakable(page: Page): Promise<{ break(): void; mend(): void }> {
  const open = new Set<{ close(): Promise<void> }>();
  let broken = false;
  await page.routeWebSocket(/\/api\/rooms\/.*\/ws\?/, (socket) => {
    if (broken && socket.url().includes("resume=")) return void socket.close();
    const server = socket.connectToServer();
    open.add({ close: () => Promise.all([server.close(), socket.close()]).then(() => {}) });
  });
  return {
    break: () => {
      broken = true;
      for (const one of open) void one.close();
    },
    mend: () => {
      broken = false;
    },
  };
}
