// One whole trace of a call over two regions: from the click in one browser through Worker, room, region and node to the first
// picture of somebody at another node, as a collector is told it.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { Collector, listed, type Span } from "../../edge/collector.ts";
import { launch, PATIENCE, Person } from "./person.ts";
import { newRoom, URL_OF_APP } from "./stack.ts";

const DOCUMENT = new URL("../../../docs/tracing.md", import.meta.url);
const EVERY_STEP = [
  ...[
    "join",
    "client.offer",
    "client.ticket",
    "client.socket",
    "client.welcome",
    "client.answer",
    "client.ice",
  ],
  ...["client.dtls", "client.channel", "client.slots", "client.first-frame"],
  ...["edge.request", "room.join", "room.socket", "room.assign", "region.assign", "room.answer"],
  ...["node.room-link", "node.answer", "node.ice", "node.dtls", "node.first-packet"],
];

let browser: Browser;
let collector: Collector;
before(async () => {
  const port = Number(new URL(process.env.CONNECT_OTLP_ENDPOINT ?? "http://127.0.0.1:4318").port);
  collector = await Collector.start(port);
  browser = await launch();
});
after(async () => {
  await browser.close();
  await collector.stop();
});

/** Waits until the edge tells this collector: one that was away before is left alone for a while. */
async function edgeIsHeard(): Promise<void> {
  const deadline = Date.now() + PATIENCE;
  while (!collector.spans.some(({ name }) => name === "edge.request")) {
    assert.ok(Date.now() < deadline, "the edge exports nothing");
    await fetch(`${URL_OF_APP}/.well-known/jwks.json`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** Waits until a trace has every step of a join by this region; returns its spans. */
async function wholeTrace(region: string): Promise<Span[]> {
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    const at = collector.spans.filter(
      ({ name, attributes }) => name === "room.assign" && attributes.get("connect.region") === region,
    );
    const traces = at.map(({ trace }) => collector.trace(trace));
    const lacks = (spans: Span[]) => EVERY_STEP.filter((step) => spans.every(({ name }) => name !== step));
    const whole = traces.find((spans) => lacks(spans).length === 0);
    if (whole !== undefined) return whole;
    assert.ok(Date.now() < deadline, `no whole trace; what is missing: ${JSON.stringify(traces.map(lacks))}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

test("a join is one trace, from the click to the first picture from another region", async () => {
  await edgeIsHeard();
  const room = await newRoom("Traced plans");
  const ada = await Person.arrive(browser, "Ada");
  const ben = await Person.arrive(browser, "Ben");
  await ada.join(room, "eu-west");
  await ben.join(room, "us-east");
  await ben.sees(await ada.id());
  const spans = await wholeTrace("us-east");
  const [you, node] = [await ben.id(), await ben.node()];
  const named = (name: string) => spans.find((span) => span.name === name) as Span;

  // A tree, whose root is the click in the browser.
  const root = named("join");
  assert.equal(root.parent, undefined);
  const ids = new Set(spans.map(({ id }) => id));
  const orphans = spans.filter(({ parent }) => parent !== undefined && !ids.has(parent));
  assert.deepEqual(orphans, []);
  assert.deepEqual(
    spans.filter(({ failed }) => failed),
    [],
  );
  // The steps at the node are those of Ben's session there, and the room is the room.
  for (const name of ["node.answer", "node.ice", "node.dtls", "node.first-packet"]) {
    const { attributes } = named(name);
    assert.equal(attributes.get("connect.participant"), you);
    assert.equal(attributes.get("service.instance.id"), node.id);
    assert.equal(attributes.get("cloud.region"), "us-east");
    assert.equal(attributes.get("connect.room"), room);
  }
  // Each step comes after the one before, whoever has measured it.
  const ends = ["node.answer", "node.ice", "node.dtls", "node.first-packet"].map((name) => named(name).end);
  assert.deepEqual(
    ends.toSorted((a, b) => a - b),
    ends,
  );

  // Nothing but what is listed, and nobody's name, address or words.
  const { spans: known, attributes } = listed(await readFile(DOCUMENT, "utf8"));
  assert.deepEqual(
    collector.spans.filter(({ name }) => !known.has(name)),
    [],
  );
  const used = new Set(collector.spans.flatMap((span) => [...span.attributes.keys()]));
  assert.deepEqual(
    [...used].filter((name) => !attributes.has(name)),
    [],
  );
  for (const secret of ["Ada", "Ben", "Traced", "example.com", "127.0.0.1", "10.77.", "v=0"]) {
    assert.ok(!collector.bodies.join("\n").includes(secret), `a span says ${secret}`);
  }
  await Promise.all([ada.close(), ben.close()]);
});
