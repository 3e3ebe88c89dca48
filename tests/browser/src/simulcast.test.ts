// A camera in three layers: each viewer receives the one that fits the tile.
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { launch, Person } from "./person.ts";
import { newRoom } from "./stack.ts";

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

test("tiles of three sizes receive three layers of one camera, in any region", async () => {
  const room = await newRoom("Layers");
  const ada = await Person.arrive(browser, "Ada");
  await ada.join(room, "eu-west");
  const id = await ada.id();
  for (const [name, region, width, height] of [
    ["Ben", "eu-west", 1280, 720],
    ["Cid", "us-east", 640, 360],
    ["Dan", "eu-west", 320, 180],
  ] as const) {
    const viewer = await Person.arrive(browser, name, { window: { width: 1440, height: 900 } });
    await viewer.join(room, region, { camera: false });
    await viewer.sees(id);
    await viewer.resizeTile(id, width, height);
    await viewer.seesAtWidth(id, width);
  }
});
