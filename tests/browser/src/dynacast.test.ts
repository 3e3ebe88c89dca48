// Dynacast: what nobody in any region watches is not even encoded.
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { launch, Person, until } from "./person.ts";
import { newRoom } from "./stack.ts";

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

async function encodes(person: Person, ...layers: string[]): Promise<void> {
  let last: readonly (string | null)[] = [];
  await until(
    `${person.name} encodes [${layers}]`,
    async () => {
      last = await person.activeLayers();
      return last.join() === layers.join();
    },
    () => `[${last}]`,
  );
}

test("a camera encodes the layers that are watched, wherever that is", async () => {
  const room = await newRoom("Dynacast");
  const ada = await Person.arrive(browser, "Ada");
  await ada.join(room, "eu-west");
  const id = await ada.id();
  await encodes(ada);

  const ben = await Person.arrive(browser, "Ben", { window: { width: 1440, height: 900 } });
  await ben.join(room, "us-east", { camera: false });
  await ben.sees(id);
  await ben.resizeTile(id, 320, 180);
  await encodes(ada, "q");
  await ben.resizeTile(id, 1280, 720);
  await ben.seesAtWidth(id, 1280);
  const tile = ben.page.locator(`[data-participant="${id}"]`);
  await tile.evaluate((element) => (element as HTMLElement).style.setProperty("display", "none"));
  await encodes(ada);

  await tile.evaluate((element) => (element as HTMLElement).style.removeProperty("display"));
  await ben.sees(id);
  await Promise.all([ada.close(), ben.close()]);
});
