// Single sign-on as a person meets it: from a room's link to the provider's own page and back to the room.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { Provider } from "../../edge/oidc-provider.ts";
import { expectAccessible } from "./axe.ts";
import { launch, Person } from "./person.ts";
import { newRoom, URL_OF_APP } from "./stack.ts";

const [{ issuer }] = JSON.parse(process.env.CONNECT_OIDC ?? '[{"issuer":"http://127.0.0.1:4320"}]');

let browser: Browser;
let provider: Provider;
before(async () => {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  provider = await Provider.start(Number(new URL(issuer).port));
  provider.serve(`${URL_OF_APP}/api/auth/sso/acme/callback`, [
    { ...privateKey.export({ format: "jwk" }), kid: "first", alg: "RS256", use: "sig" } as never,
  ]);
  browser = await launch();
});
after(async () => {
  await browser.close();
  await provider.stop();
});

/** Goes to the provider from the door of a room. */
async function leaveFor(room: string, page: Page): Promise<void> {
  // What the provider's page would load from elsewhere is not there.
  await page.route(/googleapis/, (route) => route.abort());
  await page.goto(`${URL_OF_APP}/call/${room}?debug=`);
  await page.getByRole("link", { name: "Sign in" }).click();
  const link = page.getByRole("link", { name: "Continue with Acme" });
  await link.waitFor();
  await expectAccessible(page);
  await link.click();
  await page.waitForURL((url) => url.origin === issuer);
}

test("who signs in at the provider is back at the door of the room, and joins as what the claims say", async () => {
  const room = await newRoom("Signed on");
  const ada = await Person.stranger(browser, "Ada Lovelace");
  await leaveFor(room, ada.page);
  await ada.page.getByPlaceholder("Enter any login").fill("ada");
  await ada.page.getByPlaceholder("and password").fill("x");
  await ada.press("Sign-in");
  await ada.press("Continue");
  await ada.page.getByRole("button", { name: "Join", exact: true }).waitFor();
  assert.equal(ada.page.url(), `${URL_OF_APP}/call/${room}?debug=`);
  await ada.press("Join");
  await ada.page.getByRole("button", { name: "Leave", exact: true }).waitFor();
  const me = await ada.page.evaluate(() => {
    const { you, participants } = window.connect.state.get();
    return participants.find(({ id }) => id === you);
  });
  assert.deepEqual(
    { ...me, name: me?.name },
    { ...me, name: "Ada Lovelace", role: "moderator", guest: false },
  );
  // It is the account's session, which goes on when the page is loaded anew, and so does the call.
  await ada.page.reload();
  await ada.page.getByRole("button", { name: "Leave", exact: true }).waitFor();
  assert.equal(await ada.page.evaluate(() => window.connect.state.get().you), me?.id);
});

test("who does not want to is told so, and still comes back to the room", async () => {
  const room = await newRoom("Not signed on");
  const bob = await Person.stranger(browser, "Bob");
  await leaveFor(room, bob.page);
  await bob.page.getByRole("link", { name: /Cancel/ }).click();
  await bob.page.getByRole("alert").getByText("The sign-in was not completed there.").waitFor();
  await expectAccessible(bob.page);
  await bob.page.getByRole("link", { name: "Continue with Acme" }).click();
  await bob.page.getByPlaceholder("Enter any login").fill("bob");
  await bob.page.getByPlaceholder("and password").fill("x");
  await bob.press("Sign-in");
  await bob.press("Continue");
  await bob.page.getByRole("button", { name: "Join", exact: true }).waitFor();
  assert.equal(bob.page.url(), `${URL_OF_APP}/call/${room}?debug=`);
});
