// Video in each codec, side by side in one room.
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { launch, Person, until } from "./person.ts";
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
    await viewer.sees(id);
    let last: string | undefined;
    await until(
      `Vera receives ${codec}`,
      async () => {
        last = (await viewer.incoming(id))?.codec;
        return last === `video/${codec}`;
      },
      () => `it is ${last}`,
    );
    // One slot carries them all, one after the other.
    await sender.press("Leave");
    await viewer.counts(1);
    await sender.close();
  }
});
