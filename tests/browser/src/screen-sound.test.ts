// What a shared tab plays is not speech: both channels arrive, apart from each other.
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { launch, Person } from "./person.ts";

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

test("a shared sound keeps its two channels", async () => {
  const ada = await Person.arrive(browser, "Ada");
  const room = await ada.createRoom("Music");
  await ada.join(room);
  const ben = await Person.arrive(browser, "Ben");
  await ben.page.addInitScript(shareToneOnTheRight);
  await ben.join(room);
  await ben.press("Share screen");
  const slots = await ada.page.evaluateHandle(listen);
  await ada.page.waitForFunction(isRightAlone, slots);
  await Promise.all([ada.close(), ben.close()]);
});

/** Runs in the page before its own scripts: its "screen" plays a tone in the right channel alone. */
function shareToneOnTheRight(): void {
  const devices = navigator.mediaDevices;
  if (devices === undefined) return;
  devices.getDisplayMedia = async () => {
    const context = new AudioContext();
    const tone = context.createOscillator();
    const merger = context.createChannelMerger(2);
    const sound = context.createMediaStreamDestination();
    tone.connect(merger, 0, 1);
    merger.connect(sound);
    tone.start();
    const canvas = document.createElement("canvas");
    canvas.getContext("2d")?.fillRect(0, 0, 1, 1);
    return new MediaStream([...canvas.captureStream(5).getTracks(), ...sound.stream.getTracks()]);
  };
}

/** Runs in the page: the left and the right channel of each audio slot. */
function listen(): [AnalyserNode, AnalyserNode][] {
  const context = new AudioContext();
  return [...document.querySelectorAll("audio")].map((element) => {
    const splitter = context.createChannelSplitter(2);
    context.createMediaStreamSource(element.srcObject as MediaStream).connect(splitter);
    const [left, right] = [context.createAnalyser(), context.createAnalyser()];
    splitter.connect(left, 0);
    splitter.connect(right, 1);
    return [left, right];
  });
}

/** Runs in the page: whether one of the slots carries sound on the right, and none on the left. */
function isRightAlone(slots: [AnalyserNode, AnalyserNode][]): boolean {
  const loudness = (channel: AnalyserNode) => {
    const samples = new Float32Array(channel.fftSize);
    channel.getFloatTimeDomainData(samples);
    return Math.max(...samples.map(Math.abs));
  };
  return slots.some(([left, right]) => loudness(right) > 0.1 && loudness(left) < 0.05);
}
