// Scrolling the chat while it grows: whoever looks further up is not disturbed, and whoever is at its end stays there.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { launch, Person, until } from "./person.ts";
import { newRoom } from "./stack.ts";

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

test("what arrives does not move what is read, and is followed at the end", async () => {
  const room = await newRoom("Reading");
  const ada = await Person.arrive(browser, "Ada");
  const ben = await Person.arrive(browser, "Ben");
  await ada.join(room, undefined, { camera: false });
  await ben.join(room, undefined, { camera: false });
  const says = (from: number, to: number) =>
    ben.page.evaluate(
      ([from, to]) => {
        for (let line = from; line <= to; line += 1) window.connect.chat.say(`line ${line}`);
      },
      [from, to] as const,
    );
  await says(1, 50);
  await ada.reads("line 50");
  const log = ada.page.getByRole("log");
  const fromEnd = () =>
    log.evaluate((list) => Math.round(list.scrollHeight - list.scrollTop - list.clientHeight));
  const place = (text: string) =>
    log.getByText(text, { exact: true }).evaluate((line) => Math.round(line.getBoundingClientRect().top));
  assert.equal(await fromEnd(), 0, "the last line is in view");

  await log.evaluate((list) => {
    list.scrollTop = 200;
  });
  const news = ada.page.getByRole("button", { name: "5 new messages" });
  const before = await place("line 8");
  await says(51, 55);
  await news.waitFor();
  assert.equal(await place("line 8"), before, "nothing has moved");
  await news.click();
  await ada.reads("line 55");
  await until("the end is in view", async () => (await fromEnd()) === 0);
  await says(56, 57);
  await ada.reads("line 57");
  await until("the end is still in view", async () => (await fromEnd()) === 0);
  await Promise.all([ada.close(), ben.close()]);
});

test("a line of Hebrew is read from the right, and a name turns nothing around it", async () => {
  const room = await newRoom("Reading");
  const ada = await Person.arrive(browser, "Ada");
  const dana = await Person.arrive(browser, "דנה כהן");
  await ada.join(room, undefined, { camera: false });
  await dana.join(room, undefined, { camera: false });
  await dana.says("שלום world!");
  await ada.reads("שלום world!");
  const line = ada.page.locator(".line-text");
  assert.equal(await line.evaluate((text) => getComputedStyle(text).direction), "rtl");
  await dana.press("Share screen");
  const name = ada.page.locator(".tile.screen .tile-name");
  await name.waitFor();
  // The words after the name stand to its right, and run from the left.
  const [who, words] = await name.evaluate((whole) =>
    [...whole.childNodes].map((node) => {
      const range = document.createRange();
      range.selectNode(node);
      return range.getBoundingClientRect().left;
    }),
  );
  assert.ok(who !== undefined && words !== undefined && who < words);
  await Promise.all([ada.close(), dana.close()]);
});
