// Two people in different regions: see, hear, chat, camera off and on, leave. Then four people in three regions.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { everybodyMeets, launch, Person } from "./person.ts";
import { newRoom } from "./stack.ts";

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

test("two people in different regions have a call", async (t) => {
  const room = await newRoom("Two regions");
  const ada = await Person.arrive(browser, "Ada");
  const ben = await Person.arrive(browser, "Ben");
  await ada.join(room, "eu-west");
  await ben.join(room, "us-east");

  await t.test("each is at a node of the region asked for", async () => {
    assert.equal((await ada.node()).region, "eu-west");
    assert.equal((await ben.node()).region, "us-east");
  });
  await t.test("each decodes the other's picture and sound", () => everybodyMeets([ada, ben]));
  await t.test("what one writes, both read", async () => {
    await ada.says("Hello over there");
    await ben.reads("Hello over there");
    await ben.says("<b>Hello</b> yourself");
    await ada.reads("<b>Hello</b> yourself");
  });
  await t.test("a camera goes off and on again", async () => {
    const id = await ada.id();
    await ada.press("Camera");
    await ben.seesNoMore(id);
    await ada.press("Camera");
    await ben.sees(id);
  });
  await t.test("who leaves is gone from the list", async () => {
    await ben.press("Leave");
    await ben.page.getByText("You left the call").waitFor();
    await ada.counts(1);
  });
  await Promise.all([ada.close(), ben.close()]);
});

test("four people in three regions see each other, and nobody renegotiates", async () => {
  const room = await newRoom("Three regions");
  const people: Person[] = [];
  const regions = ["eu-west", "us-east", "ap-south", "eu-west"];
  for (const [index, region] of regions.entries()) {
    const person = await Person.arrive(browser, `P${index + 1}`, { small: true });
    await person.page.addInitScript(countOffers);
    await person.join(room, region);
    people.push(person);
  }
  await Promise.all(people.map((person) => person.counts(4)));
  await everybodyMeets(people, { sound: false });
  // Every fake microphone sounds: each person hears at least somebody.
  await people[3]?.hears((await people[1]?.id()) ?? "");
  const offers = await Promise.all(
    people.map((person) => person.page.evaluate(() => performance.getEntriesByName("offer").length)),
  );
  assert.deepEqual(offers, [1, 1, 1, 1]);
  await Promise.all(people.map((person) => person.close()));
});

/** Runs in the page before its own scripts: a mark for each offer that is applied. */
function countOffers(): void {
  const original = RTCPeerConnection.prototype.setLocalDescription;
  RTCPeerConnection.prototype.setLocalDescription = function (description?: RTCLocalSessionDescriptionInit) {
    // Those that only measure the way to a region are offered to nobody.
    if (this.getConfiguration().bundlePolicy !== "max-compat") performance.mark("offer");
    return Reflect.apply(original, this, [description]);
  };
}
