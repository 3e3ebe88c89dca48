// A link is enough: a guest sees and hears the owner, and goes on with an account in the same call.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { expectAccessible } from "./axe.ts";
import { launch, Person } from "./person.ts";
import { newAccount, URL_OF_APP } from "./stack.ts";

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

test("a guest comes by a link, meets the owner, and takes an account without leaving", async (t) => {
  const ada = await Person.arrive(browser, "Ada");
  const room = await ada.createRoom("Open house");
  await ada.join(room);
  const gil = await Person.stranger(browser, "Gil");

  await t.test("the door says what is behind it", async () => {
    await gil.page.goto(`${URL_OF_APP}/call/${room}`);
    await gil.page.getByRole("heading", { name: "Open house" }).waitFor();
    await gil.page.getByRole("link", { name: "Sign in" }).waitFor();
    await expectAccessible(gil.page);
  });
  await t.test("a name is all it takes", async () => {
    await gil.joinAsGuest(room);
    await ada.counts(2);
    const [adaId, gilId] = [await ada.id(), await gil.id()];
    await gil.sees(adaId);
    await gil.hears(adaId);
    await ada.sees(gilId);
    await ada.hears(gilId);
    await ada.press("People");
    await ada.page.getByText(/^Guest · /).waitFor();
  });
  await t.test("a page that is loaded anew asks for no name, and its guest is the same", async () => {
    const user = await gil.user();
    await gil.press("Leave");
    await gil.page.reload();
    await gil.page.getByRole("button", { name: "Use another name" }).waitFor();
    await expectAccessible(gil.page);
    await gil.press("Join");
    await gil.page.getByRole("button", { name: "Leave", exact: true }).waitFor();
    assert.equal(await gil.user(), user);
    await ada.counts(2);
    await ada.sees(await gil.id());
  });
  await t.test("an account is taken in the call", async () => {
    const id = await gil.id();
    const { email, password } = newAccount("Gil");
    await gil.press("People");
    await gil.press("Create an account");
    await expectAccessible(gil.page);
    assert.equal(await gil.page.getByLabel("Name", { exact: true }).inputValue(), "Gil");
    await gil.page.getByLabel("Email").fill(email);
    await gil.page.getByLabel("Password").fill(password);
    await gil.press("Create account");
    await ada.page.getByText(/^Guest · /).waitFor({ state: "detached" });
    await gil.page.getByText("You are here as a guest.").waitFor({ state: "detached" });
    assert.equal(await gil.id(), id);
    await ada.hears(id);
  });
  await Promise.all([ada.close(), gil.close()]);
});
