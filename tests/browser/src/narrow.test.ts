// A network that narrows: sound goes on, the picture gets smaller and lives, and both recover.
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { Path } from "./path.ts";
import { launch, Person, until } from "./person.ts";
import { newRoom, node } from "./stack.ts";

const NARROW_BITS_PER_SECOND = 300_000;

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

test("at 300 kbit/s there is sound and a small picture, and the large one comes back", async () => {
  const room = await newRoom("Narrow");
  const ada = await Person.arrive(browser, "Ada");
  const ben = await Person.arrive(browser, "Ben", { window: { width: 1440, height: 900 } });
  await ada.join(room, "us-east");
  const path = await Path.to(await node("eu-west-1"));
  await path.lead(ben.page);
  await ben.join(room, "eu-west", { camera: false });
  const id = await ada.id();
  await ben.sees(id);
  await ben.resizeTile(id, 1280, 720);
  await ben.seesAtWidth(id, 1280);

  path.limit(NARROW_BITS_PER_SECOND);
  await ben.seesAtWidth(id, 320);
  await ben.hears(id);

  path.limit(Number.POSITIVE_INFINITY);
  await until("the picture is large again", async () => ((await ben.incoming(id))?.frameWidth ?? 0) >= 640);
  await ben.seesAtWidth(id, 1280);
  await ben.hears(id);
  await Promise.all([ada.close(), ben.close()]);
  path.close();
});
