// A device that changes its network: the old way is dead, and the call goes on by another.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { print } from "./figures.ts";
import { Path } from "./path.ts";
import { everybodyMeets, launch, Person } from "./person.ts";
import { newRoom, node } from "./stack.ts";

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

test("a call goes on after its device has changed the network", async () => {
  const room = await newRoom("Network");
  const ada = await Person.arrive(browser, "Ada");
  const ben = await Person.arrive(browser, "Ben");
  await ada.join(room, "eu-west");
  const home = await node("eu-west-1");
  const wifi = await Path.to(home);
  await wifi.lead(ben.page);
  await ben.join(room, "eu-west");
  await everybodyMeets([ada, ben]);
  const benId = await ben.id();

  const mobile = await Path.to(home);
  await mobile.lead(ben.page);
  const changed = Date.now();
  wifi.cut();
  const becomes = async (status: string) => {
    await ben.page.waitForFunction((wanted) => window.connect.state.get().media.name === wanted, status, {
      polling: 20,
    });
    return Date.now() - changed;
  };
  print(
    `Change of network: noticed after ${await becomes("reconnecting")} ms, back after ${await becomes("connected")} ms`,
  );
  await everybodyMeets([ada, ben]);
  assert.equal(await ben.id(), benId, "the participant is still the same");
  assert.equal(await offers(ben), 1, "and so is the session: ICE has found another way");
  await Promise.all([ada.close(), ben.close()]);
  wifi.close();
  mobile.close();
});

/** How many offers a person has made. */
function offers(person: Person): Promise<number> {
  return person.page.evaluate(() => performance.getEntriesByName("connect:offer").length);
}
