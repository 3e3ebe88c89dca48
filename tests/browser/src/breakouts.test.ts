// Breakout rooms: three people in two of them see and hear those beside them alone, are told what is for all, and come back by
// themselves without joining again.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { expectAccessible } from "./axe.ts";
import { everybodyMeets, launch, Person, until } from "./person.ts";

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

/** Of whom sound or pictures have come in the last second. */
async function arrivesOf(person: Person): Promise<readonly string[]> {
  const packets = async () => {
    const { incoming } = await person.page.evaluate(() => window.connect.statistics());
    return new Map(incoming.map(({ track, packets }) => [`${track.participant} ${track.source}`, packets]));
  };
  const before = await packets();
  await person.page.waitForTimeout(1_000);
  const grown = [...(await packets())].filter(([key, count]) => count > (before.get(key) ?? 0));
  return [...new Set(grown.map(([key]) => key.split(" ")[0] ?? ""))].sort();
}

async function isWith(person: Person, others: readonly string[]): Promise<void> {
  let last: readonly string[] = [];
  await until(
    `${person.name} has media of those alone who are there`,
    async () => {
      last = await arrivesOf(person);
      return `${last}` === `${[...others].sort()}`;
    },
    () => `it comes of ${last}`,
  );
}

/** How often each has offered: nobody joins again. */
const offers = (people: readonly Person[]) =>
  Promise.all(
    people.map(({ page }) => page.evaluate(() => performance.getEntriesByName("connect:ticket").length)),
  );

test("three people in two rooms are apart, and together again", async (t) => {
  const small = { small: true };
  const ada = await Person.arrive(browser, "Ada", { ...small, window: { width: 1_280, height: 900 } });
  const room = await ada.createRoom("Workshop");
  await ada.join(room, "eu-west");
  const ben = await Person.arrive(browser, "Ben", small);
  await ben.join(room, "us-east");
  const gus = await Person.stranger(browser, "Gus", small);
  await gus.joinAsGuest(room);
  const people = [ada, ben, gus];
  await everybodyMeets(people);
  const [adaId, benId, gusId] = [await ada.id(), await ben.id(), await gus.id()];
  const joined = await offers(people);

  await t.test("the host opens two, and the two others are each in one", async () => {
    await ada.press("People");
    await ada.page.getByText("Breakout rooms", { exact: true }).click();
    await expectAccessible(ada.page);
    await ada.page.getByLabel("Name of room 1").fill("Red");
    await ada.page.getByLabel("Name of room 2").fill("Blue");
    await ada.press("Open breakout rooms");
    await ben.page.getByText("You are in the breakout room Red").waitFor();
    await gus.page.getByText("You are in the breakout room Blue").waitFor();
    for (const person of people) await isWith(person, []);
    assert.equal(await ben.page.locator("[data-participant]").count(), 1, "oneself alone");
  });
  await t.test("the host goes into one, and is seen and heard there and nowhere else", async () => {
    await ada.press("Go to Red");
    await ada.sees(benId);
    await ada.hears(benId);
    await ben.sees(adaId);
    await ben.hears(adaId);
    await isWith(ada, [benId]);
    await isWith(gus, []);
    await expectAccessible(ada.page);
    await expectAccessible(ben.page);
  });
  await t.test("a chat is of its room, and what is for all is read in each", async () => {
    await ben.says("only in red");
    await ben.reads("only in red");
    await ada.page.getByLabel("Say to all rooms").fill("Two minutes left");
    await ada.press("Say it");
    await gus.page.getByRole("status").getByText("Two minutes left").waitFor();
    await gus.reads("Two minutes left");
    assert.equal(await gus.page.getByText("only in red").count(), 0);
  });
  await t.test("who goes back to the main room is alone there, and the host moves them", async () => {
    await gus.press("Back to the main room");
    await gus.page.getByText("Your breakout room: Blue").waitFor();
    await isWith(gus, []);
    await ada.page.getByLabel("Move Gus to").selectOption("Red");
    await gus.page.getByText("You are in the breakout room Red").waitFor();
    await everybodyMeets(people);
    await gus.reads("only in red");
  });
  await t.test("all are brought back, see and hear each other, and nobody has joined again", async () => {
    await ada.press("Bring everybody back");
    await ben.page.getByText("You are in the breakout room").waitFor({ state: "detached" });
    await everybodyMeets(people);
    assert.equal(await gus.page.getByText("only in red").count(), 0);
    assert.deepEqual(await offers(people), joined);
  });
  await t.test("a time that is over brings them back by itself", async () => {
    await ada.page.evaluate(() => {
      const draft = { names: ["Short"], assignment: "automatic" as const, assigned: [], seconds: 10 };
      window.connect.breakouts.open(draft);
    });
    await ben.page.getByText(/You are in the breakout room Short · 0:\d\d left/).waitFor();
    await isWith(ben, [gusId]);
    await ben.page.getByText("You are in the breakout room").waitFor({ state: "detached" });
    await everybodyMeets(people);
    assert.deepEqual(await offers(people), joined);
  });
  await Promise.all(people.map((person) => person.close()));
});
