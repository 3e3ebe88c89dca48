// A network that lets no media through: the person is told so, and the call begins by itself when it does.
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { Path } from "./path.ts";
import { everybodyMeets, launch, Person } from "./person.ts";
import { newRoom, node } from "./stack.ts";

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

test("whose network lets no media through is told what was tried, and is in the call as soon as it does", async () => {
  const room = await newRoom("Blocked");
  const ada = await Person.arrive(browser, "Ada");
  const ben = await Person.arrive(browser, "Ben");
  await ada.join(room, "eu-west");
  const path = await Path.to(await node("eu-west-1"));
  path.cut();
  await path.lead(ben.page);
  await ben.join(room, "eu-west");
  const banner = ben.page.locator(".banner", { hasText: "No sound and no picture" });
  await banner.getByText("UDP (no answer)").waitFor();
  // Others are not told that they could see and hear him.
  await ada.page
    .locator(`[data-participant="${await ben.id()}"]`)
    .getByText("Connecting…")
    .waitFor();
  path.mend();
  await banner.getByRole("button", { name: "Try again" }).click();
  await banner.waitFor({ state: "detached" });
  await everybodyMeets([ada, ben]);
  await Promise.all([ada.close(), ben.close()]);
  path.close();
});
