// A room is deleted where rooms are listed: its owner is asked first, and who is in it is told.
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { expectAccessible } from "./axe.ts";
import { launch, Person } from "./person.ts";
import { URL_OF_APP } from "./stack.ts";

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

test("the owner deletes a room, and it ends for who is in it", async () => {
  const ada = await Person.arrive(browser, "Ada");
  const ben = await Person.arrive(browser, "Ben");
  const room = await ada.createRoom("For a day");
  await ben.join(room, "eu-west", { camera: false });
  await ada.page.goto(URL_OF_APP);
  await ada.press("Delete For a day");
  await expectAccessible(ada.page);
  await ada.press("Yes, delete");
  await ada.page.getByRole("heading", { name: "No rooms yet" }).waitFor();
  await ben.page.getByText("This room was closed").waitFor();
  await Promise.all([ada.close(), ben.close()]);
});
