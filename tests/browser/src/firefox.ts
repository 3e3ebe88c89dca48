// A person with Firefox, over WebDriver BiDi: joins, and tells what arrives.
import assert from "node:assert/strict";
import puppeteer, { type Browser, type Page } from "puppeteer-core";
import { PATIENCE, until } from "./person.ts";
import { newAccount, URL_OF_APP } from "./stack.ts";

const FEW_FRAMES = 10;

/** A Firefox with a fake camera and microphone. */
export function launchFirefox(): Promise<Browser> {
  return puppeteer.launch({
    browser: "firefox",
    executablePath: process.env.FIREFOX ?? "/usr/bin/firefox-esr",
    headless: true,
    extraPrefsFirefox: {
      "media.navigator.streams.fake": true,
      "media.navigator.permission.disabled": true,
      "media.autoplay.default": 0,
      "media.autoplay.blocking_policy": 0,
    },
  });
}

/** Somebody who is in a call. */
export class FirefoxPerson {
  readonly page: Page;

  private constructor(page: Page) {
    this.page = page;
  }

  /** Opens a window and an account, and joins. */
  static async join(
    browser: Browser,
    name: string,
    room: string,
    query: { region: string; codec?: string },
  ): Promise<FirefoxPerson> {
    const page = await browser.newPage();
    page.setDefaultTimeout(PATIENCE);
    await page.setViewport({ width: 960, height: 640 });
    await page.goto(`${URL_OF_APP}/login`);
    const status = await page.evaluate(async (account) => {
      const headers = { "content-type": "application/json" };
      return (await fetch("/api/auth/register", { method: "POST", headers, body: JSON.stringify(account) }))
        .status;
    }, newAccount(name));
    assert.ok(status < 300, `registration was answered with ${status}`);
    await page.goto(`${URL_OF_APP}/call/${room}?${new URLSearchParams({ debug: "", ...query })}`);
    await page.locator("button::-p-text(Join)").click();
    await page.waitForSelector("button[aria-label=Leave]");
    return new FirefoxPerson(page);
  }

  /** Their id in the room. */
  async id(): Promise<string> {
    const id = await this.page.evaluate(() => window.connect.state.get().you);
    assert.ok(id, "Firefox is in no room");
    return id;
  }

  /** Waits until new frames of somebody's camera are decoded. */
  async sees(other: string): Promise<void> {
    let first: number | undefined;
    await until(`Firefox sees ${other}`, async () => {
      const frames = (await this.#incoming(other, "camera"))?.framesDecoded;
      if (frames !== undefined && (first === undefined || frames < first)) first = frames;
      return frames !== undefined && first !== undefined && frames >= first + FEW_FRAMES;
    });
  }

  /** Waits until somebody's sound is heard. */
  async hears(other: string): Promise<void> {
    await until(`Firefox hears ${other}`, async () => {
      return ((await this.#incoming(other, "microphone"))?.audioLevel ?? 0) > 0;
    });
  }

  async #incoming(other: string, source: string) {
    const { incoming } = await this.page.evaluate(() => window.connect.statistics());
    return incoming.find(({ track }) => track.participant === other && track.source === source);
  }
}
