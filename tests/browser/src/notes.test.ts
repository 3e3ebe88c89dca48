// Two people write the notes at once, also while one of them has no network, and come to one text.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { expectAccessible } from "./axe.ts";
import { launch, PATIENCE, Person } from "./person.ts";

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

const field = (person: Person) => person.page.getByRole("textbox", { name: "Shared notes" });

/** Waits until somebody's notes are this. */
async function reads(person: Person, text: string): Promise<void> {
  const shows = (text: string) => document.querySelector<HTMLTextAreaElement>(".notes-field")?.value === text;
  try {
    await person.page.waitForFunction(shows, text, { timeout: PATIENCE });
  } catch {
    assert.equal(await field(person).inputValue(), text, `${person.name} reads it`);
  }
}

test("two people write at once", async (t) => {
  const ada = await Person.arrive(browser, "Ada");
  const room = await ada.createRoom("Written");
  await ada.join(room, "eu-west", { camera: false });
  const ben = await Person.arrive(browser, "Ben");
  await ben.join(room, "eu-west", { camera: false });

  await t.test("Yjs is loaded when the notes are opened, and not before", async () => {
    const loaded = () =>
      ada.page.evaluate(
        () =>
          performance.getEntriesByType("resource").filter(({ name }) => name.includes("notes-document"))
            .length,
      );
    assert.equal(await loaded(), 0);
    await ada.press("Notes");
    await field(ada).fill("Agenda\n\n\nEnd");
    assert.equal(await loaded(), 1);
    await ada.page.getByText("Saved.").waitFor();
    await ben.press("Notes");
    await reads(ben, "Agenda\n\n\nEnd");
  });

  await t.test("and each caret stays where it is", async () => {
    await field(ada).evaluate((node: HTMLTextAreaElement) => node.setSelectionRange(7, 7));
    await field(ben).evaluate((node: HTMLTextAreaElement) => node.setSelectionRange(8, 8));
    const words = ["one two three four five six", "alpha beta gamma delta epsilon"] as const;
    await Promise.all([
      field(ada).pressSequentially(words[0], { delay: 30 }),
      field(ben).pressSequentially(words[1], { delay: 30 }),
    ]);
    for (const person of [ada, ben]) await reads(person, `Agenda\n${words[0]}\n${words[1]}\nEnd`);
    await ada.page.getByText(/Ben.*: line 3/).waitFor();
    await expectAccessible(ada.page);
  });

  await t.test("what is written without a network is joined, and undone by its writer alone", async () => {
    await ben.page.context().setOffline(true);
    await field(ben).press("End");
    await field(ben).pressSequentially("!");
    await field(ada).press("Home");
    await field(ada).pressSequentially("* ");
    await ben.page.getByText("Not saved yet.").waitFor();
    await ben.page.context().setOffline(false);
    const both = "Agenda\n* one two three four five six\nalpha beta gamma delta epsilon!\nEnd";
    for (const person of [ada, ben]) await reads(person, both);
    await field(ada).press("ControlOrMeta+z");
    for (const person of [ada, ben]) await reads(person, both.replace("* ", ""));
  });

  await t.test("and the host keeps the writing to moderators", async () => {
    await ada.page.evaluate(() => window.connect.configure({ notes: "moderators" }));
    await ben.page.getByText("You can read the notes").waitFor();
    assert.equal(await field(ben).isEditable(), false);
    const download = ben.page.waitForEvent("download");
    await ben.press("Save as text");
    assert.equal((await download).suggestedFilename(), "notes.txt");
  });
  await ada.close();
  await ben.close();
});
