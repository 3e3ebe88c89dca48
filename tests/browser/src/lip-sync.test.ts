// Lips and voice: when pictures come late, the voice waits for them.
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { print } from "./figures.ts";
import { launch, Person, until } from "./person.ts";
import { newRoom } from "./stack.ts";

/** How much later than their sound pictures leave, as by a slow encoder or a full pacer. */
const LATE_MS = 250;
/** Few notice a voice that is less than this before its lips (ITU-R BT.1359-1 takes no more for acceptable). */
const UNNOTICED_MS = 90;
const DELAYING = "/late-pictures.js";

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

test("a voice waits for its lips, when the pictures come late", async () => {
  const room = await newRoom("Lips");
  const ada = await Person.arrive(browser, "Ada");
  const ben = await Person.arrive(browser, "Ben");
  await ada.page.route(`**${DELAYING}`, (route) =>
    route.fulfill({ contentType: "text/javascript", body: `(${delayFrames})(${LATE_MS})` }),
  );
  await ada.page.addInitScript(sendLatePictures, DELAYING);
  await ben.page.addInitScript(keepConnections);
  await ada.join(room, "us-east");
  await ben.join(room, "eu-west", { camera: false });
  const id = await ada.id();
  await ben.sees(id);
  await ben.hears(id);

  const started = performance.now();
  let first: Playing | undefined;
  let last: Playing | undefined;
  // The voice waits longer bit by bit, since nobody is to hear it being stretched.
  const isInStep = async () => {
    last = await ben.page.evaluate(playing);
    first ??= last.aheadMs === null ? undefined : last;
    const { aheadMs, waitsMs } = last;
    const isLate = waitsMs !== null && waitsMs > LATE_MS - UNNOTICED_MS;
    return isLate && aheadMs !== null && Math.abs(aheadMs) < UNNOTICED_MS;
  };
  await until("the voice waits for its lips", isInStep, () => JSON.stringify(last));
  const seconds = (performance.now() - started) / 1_000;
  print(
    `Pictures ${LATE_MS} ms late: the voice was ${rounded(first?.aheadMs)} ms ahead of its lips, and is ${rounded(last?.aheadMs)} after ${seconds.toFixed(0)} s; it waits ${rounded(last?.waitsMs)} ms`,
  );
  await Promise.all([ada.close(), ben.close()]);
});

function rounded(milliseconds: number | null | undefined): string {
  return milliseconds?.toFixed(0) ?? "?";
}

/** Runs in a worker of a page: each frame leaves so much later. */
function delayFrames(lateMs: number): void {
  const worker = self as unknown as {
    onrtctransform: (event: { transformer: { readable: ReadableStream; writable: WritableStream } }) => void;
  };
  worker.onrtctransform = async ({ transformer: { readable, writable } }) => {
    const writer = writable.getWriter();
    for await (const frame of readable) setTimeout(() => writer.write(frame), lateMs);
  };
}

/** Runs in the page before its own scripts: what it sends of pictures goes through a worker. */
function sendLatePictures(script: string): void {
  const original = RTCPeerConnection.prototype.addTransceiver;
  RTCPeerConnection.prototype.addTransceiver = function (kind, init) {
    const transceiver = original.call(this, kind, init);
    if (kind === "video" && init?.direction === "sendonly") {
      transceiver.sender.transform = new RTCRtpScriptTransform(new Worker(script));
    }
    return transceiver;
  };
}

/** How a voice is played. */
interface Playing {
  /** How far it is before the picture; null while they are not played in step: only then does Chromium estimate it. */
  readonly aheadMs: number | null;
  /** How long it has waited since the last look, before it was played. */
  readonly waitsMs: number | null;
}

interface Kept {
  readonly connections: RTCPeerConnection[];
  /** How long all samples together have waited, in seconds, and how many they were. */
  waited: readonly [seconds: number, samples: number];
}

/** Runs in the page before its own scripts. */
function keepConnections(): void {
  const kept: Kept = { connections: [], waited: [0, 0] };
  Object.assign(window, { kept });
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      kept.connections.push(this);
    }
  };
}

/** Runs in the page. */
async function playing(): Promise<Playing> {
  type Entry = RTCInboundRtpStreamStats & {
    estimatedPlayoutTimestamp?: number;
    jitterBufferDelay?: number;
    jitterBufferEmittedCount?: number;
  };
  const { kept } = window as unknown as { kept: Kept };
  const entries: Entry[] = [];
  for (const connection of kept.connections) {
    const report = (await connection.getStats()) as unknown as Map<string, Entry>;
    entries.push(...[...report.values()].filter(({ type }) => type === "inbound-rtp"));
  }
  const livelier = (a: Entry, b: Entry) => (b.packetsReceived ?? 0) - (a.packetsReceived ?? 0);
  const liveliest = (kind: string) => entries.filter((entry) => entry.kind === kind).sort(livelier)[0];
  const [voice, lips] = [liveliest("audio"), liveliest("video")];
  const before = kept.waited;
  kept.waited = [voice?.jitterBufferDelay ?? 0, voice?.jitterBufferEmittedCount ?? 0];
  const [seconds, samples] = [kept.waited[0] - before[0], kept.waited[1] - before[1]];
  const [heard, seen] = [voice?.estimatedPlayoutTimestamp, lips?.estimatedPlayoutTimestamp];
  return {
    aheadMs: heard === undefined || seen === undefined ? null : heard - seen,
    waitsMs: samples > 0 ? (1_000 * seconds) / samples : null,
  };
}
