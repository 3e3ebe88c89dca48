// Who speaks is marked, for everybody, and no longer when the voice ends.
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { launch, Person } from "./person.ts";
import { newRoom } from "./stack.ts";

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

test("a tile is marked while its person speaks, in any region", async () => {
  const room = await newRoom("Speakers");
  const ada = await Person.arrive(browser, "Ada", { small: true });
  const ben = await Person.arrive(browser, "Ben", { small: true });
  await ada.join(room, "eu-west");
  await ben.join(room, "us-east");
  // A fake microphone beeps all the time; only Ada's is on.
  await ben.turnOff("Microphone");
  const id = await ada.id();
  const marked = (person: Person) => person.page.locator(`[data-participant="${id}"].speaking`);
  await marked(ben).waitFor();
  await marked(ada).waitFor();
  await ada.turnOff("Microphone");
  await marked(ben).waitFor({ state: "detached" });
  await ada.press("Microphone");
  await marked(ben).waitFor();
  await Promise.all([ada.close(), ben.close()]);
});
