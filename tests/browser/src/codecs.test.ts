// Video in each codec, side by side in one room.
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { launch, Person } from "./person.ts";
import { newRoom } from "./stack.ts";

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

test("H.264, VP9 and AV1 cross the nodes as VP8 does", async () => {
  const room = await newRoom("Codecs");
  const viewer = await Person.arrive(browser, "Vera");
  await viewer.join(room, "us-east", { camera: false });
  // Two of those that cross unchanged: the second begins anywhere in its numbers.
  for (const codec of ["H264", "VP9", "VP9", "VP9", "AV1", "AV1", "VP8"]) {
    const sender = await Person.arrive(browser, codec, { small: true });
    await sender.join(room, "eu-west", { codec: codec.toLowerCase() });
    const id = await sender.id();
    await viewer.seesIn(id, codec);
    // One slot carries them all, one after the other.
    await sender.press("Leave");
    await viewer.counts(1);
    await sender.close();
  }
});

test("who cannot play a publisher's codec is sent another, and so is everybody", async () => {
  const room = await newRoom("Old and new");
  const ada = await Person.arrive(browser, "Ada", { small: true });
  const ben = await Person.arrive(browser, "Ben", { small: true });
  await ada.join(room, "eu-west", { codec: "av1" });
  await ben.join(room, "us-east", { camera: false });
  const id = await ada.id();
  await ben.seesIn(id, "AV1");

  const cid = await Person.arrive(browser, "Cid", { small: true, lacks: "AV1" });
  await cid.join(room, "us-east", { camera: false });
  await cid.seesIn(id, "VP8");
  await ben.seesIn(id, "VP8");
  await cid.page.locator(".standstill").waitFor({ state: "detached" });
  await Promise.all([ada, ben, cid].map((person) => person.close()));
});
