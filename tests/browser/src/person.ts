// A person with a browser: signs in, joins, and tells what arrives.
import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { newAccount, URL_OF_APP } from "./stack.ts";

/** The part of the SDK's call that `?debug` shows, as the tests use it. */
interface DebugCall {
  readonly state: {
    get(): {
      readonly status: { readonly name: string };
      readonly media: { readonly name: string };
      readonly you: string | null;
      readonly node: string | null;
      readonly region: string | null;
      readonly participants: readonly {
        id: string;
        user: string;
        name: string;
        role: string;
        publishing: { camera: boolean; microphone: boolean; screen: boolean; codec: string | null };
      }[];
      readonly speakers: readonly string[];
      readonly chat: readonly { text: string }[];
      readonly report: { readonly frozen: number | null } | null;
    };
    subscribe(listener: () => void): () => void;
  };
  readonly local: {
    readonly state: { get(): Record<"microphone" | "camera", { readonly track: MediaStreamTrack | null }> };
    turn(device: "microphone" | "camera", on: boolean): Promise<void>;
    allow(device: "microphone" | "camera", allowed: boolean): void;
  };
  readonly screen: { readonly state: { get(): { readonly video: MediaStreamTrack | null } } };
  readonly chat: { say(text: string): void };
  readonly captions: { feed(fed: { text: string; language: string; final?: boolean; id?: number }): number };
  configure(change: Partial<Record<"notes" | "captions", "everybody" | "moderators">>): void;
  readonly breakouts: {
    open(draft: { names: string[]; assignment: "automatic"; assigned: never[]; seconds: number }): void;
  };
  statistics(): Promise<{
    readonly incoming: readonly Incoming[];
    readonly outgoing: readonly Outgoing[];
    readonly roundTrip: number | null;
  }>;
}

/** What arrives of one track. */
export interface Incoming {
  readonly track: { readonly participant: string; readonly source: string };
  readonly packets: number;
  readonly framesDecoded: number;
  readonly frameWidth: number;
  readonly frameHeight: number;
  readonly frozenSeconds: number;
  readonly codec: string;
  readonly audioLevel: number;
}

/** One layer of what is sent. */
export interface Outgoing {
  readonly source: string;
  readonly rid: string | null;
  readonly active: boolean;
  readonly framesEncoded: number;
  readonly frameWidth: number;
}

/** Which picture of somebody. */
export type Picture = "camera" | "screen";

declare global {
  interface Window {
    connect: DebugCall;
  }
}

/** How long anything may take before a test gives up. */
export const PATIENCE = 30_000;
const FEW_FRAMES = 10;

/** A browser with a fake camera and microphone. */
export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      // A shared "screen" is a tab with changing content.
      "--use-fake-device-for-media-stream=fps=30,display-media-type=browser",
      "--use-fake-ui-for-media-stream",
      "--allow-loopback-in-peer-connection",
    ],
  });
}

/** What sets a person apart. */
export interface Options {
  /** A picture of 320 × 180 at 15 frames a second, for many browsers on few cores. */
  small?: boolean;
  /** A video codec that their browser does not have, such as `AV1`. */
  lacks?: string;
  /** The window's size in pixels. */
  window?: { width: number; height: number };
}

/** How somebody joins. */
export interface Joining {
  /** Only watches and listens to others' pictures: the camera stays off. */
  camera?: boolean;
  /** The codec of their video. */
  codec?: string;
}

/** Somebody with a browser of their own. */
export class Person {
  readonly name: string;
  readonly page: Page;
  readonly #context: BrowserContext;

  private constructor(name: string, page: Page, context: BrowserContext) {
    this.name = name;
    this.page = page;
    this.#context = context;
  }

  /** Opens a window of their own, without an account. */
  static async stranger(browser: Browser, name: string, options: Options = {}): Promise<Person> {
    const { small = false, lacks, window = { width: 960, height: 640 } } = options;
    const context = await browser.newContext({ viewport: window });
    context.setDefaultTimeout(PATIENCE);
    const page = await context.newPage();
    if (small) await page.addInitScript(makeCameraSmall);
    if (lacks !== undefined) await page.addInitScript(hideCodec, lacks);
    page.on("pageerror", (error) => process.stderr.write(`${name}'s page: ${error}\n`));
    return new Person(name, page, context);
  }

  /** Opens a window of their own and an account. */
  static async arrive(browser: Browser, name: string, options: Options = {}): Promise<Person> {
    const person = await Person.stranger(browser, name, options);
    const { page } = person;
    await page.goto(`${URL_OF_APP}/login`);
    const status = await page.evaluate(async (account) => {
      const headers = { "content-type": "application/json" };
      return (await fetch("/api/auth/register", { method: "POST", headers, body: JSON.stringify(account) }))
        .status;
    }, newAccount(name));
    assert.ok(status < 300, `registration was answered with ${status}`);
    return person;
  }

  /** The same person in another tab of their browser. */
  async tab(): Promise<Person> {
    return new Person(this.name, await this.#context.newPage(), this.#context);
  }

  /** Creates a room of their own; returns its id. */
  async createRoom(name: string): Promise<string> {
    await this.page.goto(URL_OF_APP);
    await this.press("Create Room");
    await this.page.getByLabel("Room name").fill(name);
    await this.press("Create");
    await this.page.waitForURL(/\/call\/[a-z0-9-]+$/);
    return new URL(this.page.url()).pathname.split("/").at(-1) ?? "";
  }

  /** Opens the page before the call. */
  async open(room: string, region?: string, codec?: string): Promise<void> {
    const query = new URLSearchParams({ debug: "", ...(region && { region }), ...(codec && { codec }) });
    await this.page.goto(`${URL_OF_APP}/call/${room}?${query}`);
    await this.page.getByRole("button", { name: "Join", exact: true }).waitFor();
  }

  /** Opens the page and joins. */
  async join(room: string, region?: string, { camera = true, codec }: Joining = {}): Promise<void> {
    await this.open(room, region, codec);
    if (!camera) await this.turnOff("Camera");
    await this.press("Join");
    await this.page.getByRole("button", { name: "Leave", exact: true }).waitFor();
  }

  /** Opens a link without an account, gives a name, and joins. */
  async joinAsGuest(room: string): Promise<void> {
    await this.page.goto(`${URL_OF_APP}/call/${room}?debug=`);
    await this.page.getByLabel("Your name").fill(this.name);
    await this.press("Join as guest");
    await this.press("Join");
    await this.page.getByRole("button", { name: "Leave", exact: true }).waitFor();
  }

  /** Waits until they are in the call. */
  async inCall(): Promise<void> {
    await this.page.getByRole("button", { name: "Leave", exact: true }).waitFor();
  }

  /** Notes from now on which participants come and go, until the page is left. */
  async watches(): Promise<void> {
    await this.page.evaluate(() => {
      const ids = () => window.connect.state.get().participants.map(({ id }) => id);
      const first = ids();
      const others: string[] = [];
      Object.assign(window, { others });
      window.connect.state.subscribe(() => {
        const now = ids();
        others.push(...now.filter((id) => !first.includes(id)), ...first.filter((id) => !now.includes(id)));
      });
    });
  }

  /** Who came or went since. */
  watched(): Promise<string[]> {
    return this.page.evaluate(() => (window as unknown as { others: string[] }).others);
  }

  /** Presses a button. */
  async press(name: string): Promise<void> {
    await this.page.getByRole("button", { name, exact: true }).click();
  }

  /** Turns a device off that is on, or about to be. */
  async turnOff(name: "Camera" | "Microphone"): Promise<void> {
    await this.page.locator(`[aria-label="${name}"][aria-pressed=true]`).click();
    await this.page.locator(`[aria-label="${name}"][aria-pressed=false]`).waitFor();
  }

  /** Their id in the room. */
  async id(): Promise<string> {
    const id = await this.page.evaluate(() => window.connect.state.get().you);
    assert.ok(id, `${this.name} is in no room`);
    return id;
  }

  /** Their user's id. */
  async user(): Promise<string> {
    const { you, participants } = await this.page.evaluate(() => window.connect.state.get());
    const own = participants.find(({ id }) => id === you);
    assert.ok(own, `${this.name} is in no room`);
    return own.user;
  }

  /** Their media node. */
  async node(): Promise<{ id: string; region: string }> {
    await this.page.waitForFunction(() => window.connect.state.get().node !== null);
    const { node, region } = await this.page.evaluate(() => window.connect.state.get());
    assert.ok(node !== null && region !== null);
    return { id: node, region };
  }

  /** Waits until their media is at another node than this one. */
  async leaves(node: string): Promise<void> {
    await this.page.waitForFunction((former) => window.connect.state.get().node !== former, node);
  }

  /** Waits until so many people are in the room. */
  async counts(people: number): Promise<void> {
    await this.page.waitForFunction(
      (count) => window.connect.state.get().participants.length === count,
      people,
    );
  }

  /** Waits until new frames of somebody's picture are decoded. */
  async sees(other: string, picture: Picture = "camera"): Promise<void> {
    let first: number | undefined;
    await until(`${this.name} sees ${other}'s ${picture}`, async () => {
      const frames = (await this.incoming(other, picture))?.framesDecoded;
      // The first look only remembers; a stream that began anew is a first look again.
      if (frames !== undefined && (first === undefined || frames < first)) first = frames;
      return frames !== undefined && first !== undefined && frames >= first + FEW_FRAMES;
    });
  }

  /** Waits until somebody's sound is heard. */
  async hears(other: string): Promise<void> {
    await until(`${this.name} hears ${other}`, async () => {
      const incoming = await this.#incoming();
      return incoming.some(({ track, audioLevel }) => track.participant === other && audioLevel > 0);
    });
  }

  /** Waits until somebody's picture comes in this codec, such as `VP8`. */
  async seesIn(other: string, codec: string): Promise<void> {
    let last: string | undefined;
    await until(
      `${this.name} receives ${codec}`,
      async () => {
        last = (await this.incoming(other))?.codec;
        return last === `video/${codec}`;
      },
      () => `it is ${last}`,
    );
    await this.sees(other);
  }

  /** Waits until somebody's picture comes with this width in pixels. */
  async seesAtWidth(other: string, width: number, picture: Picture = "camera"): Promise<void> {
    let last: number | undefined;
    await until(
      `${this.name} sees ${other}'s ${picture} ${width} pixels wide`,
      async () => {
        last = (await this.incoming(other, picture))?.frameWidth;
        return last === width;
      },
      () => `it is ${last}`,
    );
    await this.sees(other, picture);
  }

  /** Makes somebody's tile exactly so large, wherever the layout has it. */
  async resizeTile(other: string, width: number, height: number): Promise<void> {
    await this.page
      .locator(`[data-participant="${other}"][data-source=camera]`)
      .evaluate(
        (tile, size) =>
          Object.assign((tile as HTMLElement).style, { position: "fixed", inset: "0 auto auto 0", ...size }),
        { width: `${width}px`, height: `${height}px` },
      );
  }

  /** What arrives of somebody's picture. */
  async incoming(other: string, picture: Picture = "camera"): Promise<Incoming | undefined> {
    const all = await this.#incoming();
    return all.find(({ track }) => track.participant === other && track.source === picture);
  }

  /** The layers of a source that are encoded now, the lowest first. */
  async activeLayers(source: Picture = "camera"): Promise<readonly (string | null)[]> {
    const outgoing = await this.page.evaluate(async () => (await window.connect.statistics()).outgoing);
    const order = ["q", "h", "f"];
    return outgoing
      .filter((layer) => layer.source === source && layer.active)
      .map(({ rid }) => rid)
      .sort((a, b) => order.indexOf(a ?? "") - order.indexOf(b ?? ""));
  }

  /** The size of the screen that this person shares. */
  async capturedSize(): Promise<{ width: number; height: number }> {
    const size = await this.page.evaluate(() => {
      const { width, height } = window.connect.screen.state.get().video?.getSettings() ?? {};
      return { width, height };
    });
    assert.ok(size.width !== undefined && size.height !== undefined, `${this.name} shares no screen`);
    return { width: size.width, height: size.height };
  }

  /** Waits until no frame of somebody's camera has come for a second. */
  async seesNoMore(other: string): Promise<void> {
    let last: { frames: number; at: number } | undefined;
    await until(`${this.name} sees ${other} no more`, async () => {
      const frames = (await this.incoming(other))?.framesDecoded ?? 0;
      if (last === undefined || frames > last.frames) last = { frames, at: Date.now() };
      return Date.now() - last.at > 1_000;
    });
  }

  /** Waits until no packet of somebody's sound has come for a second. */
  async hearsNoMore(other: string): Promise<void> {
    let last: { packets: number; at: number } | undefined;
    await until(`${this.name} hears ${other} no more`, async () => {
      const voice = (await this.#incoming()).find(
        ({ track }) => track.participant === other && track.source === "microphone",
      );
      const packets = voice?.packets ?? 0;
      if (last === undefined || packets > last.packets) last = { packets, at: Date.now() };
      return Date.now() - last.at > 1_000;
    });
  }

  /** Writes a line of chat; the panel is open afterwards. */
  async says(text: string): Promise<void> {
    await this.#openChat();
    const box = this.page.getByRole("textbox", { name: "Message", exact: true });
    await box.fill(text);
    await box.press("Enter");
  }

  /** Waits until a line of chat is on the page. */
  async reads(text: string): Promise<void> {
    await this.#openChat();
    await this.page.getByRole("log").getByText(text, { exact: true }).waitFor();
  }

  /** Closes the window. */
  async close(): Promise<void> {
    await this.#context.close();
  }

  async #openChat(): Promise<void> {
    const button = this.page.getByRole("button", { name: "Chat", exact: true });
    if ((await button.getAttribute("aria-pressed")) !== "true") await button.click();
  }

  async #incoming(): Promise<readonly Incoming[]> {
    return (await this.page.evaluate(() => window.connect.statistics())).incoming;
  }
}

/** Looks again and again until it holds. `instead` says what it is like when it does not. */
export async function until(
  what: string,
  holds: () => Promise<boolean>,
  instead: () => string = () => "it is not so",
): Promise<void> {
  const deadline = Date.now() + PATIENCE;
  while (!(await holds())) {
    assert.ok(Date.now() < deadline, `within ${PATIENCE / 1_000} s: ${what}; ${instead()}`);
    await setTimeout(100);
  }
}

/** Everybody sees and hears everybody else. */
export async function everybodyMeets(people: readonly Person[], { sound = true } = {}): Promise<void> {
  const ids = await Promise.all(people.map((person) => person.id()));
  for (const [index, person] of people.entries()) {
    for (const other of ids.filter((_, position) => position !== index)) {
      await person.sees(other);
      if (sound) await person.hears(other);
    }
  }
}

/** Runs in the page before its own scripts. */
function makeCameraSmall(): void {
  const devices = navigator.mediaDevices;
  if (devices === undefined) return;
  const original = devices.getUserMedia.bind(devices);
  devices.getUserMedia = (constraints = {}) => {
    const video = typeof constraints.video === "object" ? constraints.video : {};
    const small = { ...video, width: 320, height: 180, frameRate: 15 };
    return original({ ...constraints, ...(constraints.video && { video: small }) });
  };
}

/** Runs in the page before its own scripts: its browser has this codec no more. */
function hideCodec(codec: string): void {
  const name = `video/${codec}`.toLowerCase();
  for (const side of [RTCRtpReceiver, RTCRtpSender]) {
    const original = side.getCapabilities.bind(side);
    side.getCapabilities = (kind) => {
      const all = original(kind);
      return all && { ...all, codecs: all.codecs.filter(({ mimeType }) => mimeType.toLowerCase() !== name) };
    };
  }
}
