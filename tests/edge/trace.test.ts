// The trace of a join through Worker, objects and nodes, as a collector is told it, and the id of a request through all of them.
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Collector, listed } from "./collector.ts";
import { FakeNode } from "./fake-node.ts";
import { Client, World } from "./world.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const ROOT = "00f067aa0ba902b7";
const TRACEPARENT = `00-${TRACE}-${ROOT}-01`;
const OFFER = { attempt: 1, sdp: "v=0", sources: [] };

let collector: Collector;
let world: World;
let nodes: FakeNode[];
let lines: string[];

async function start(variables: Record<string, string>): Promise<void> {
  world = await World.start({ CONNECT_TRACE_SHARE: "1", ...variables }, { log: (line) => lines.push(line) });
}
beforeEach(async () => {
  [nodes, lines] = [[], []];
  collector = await Collector.start();
});
afterEach(async () => {
  for (const node of nodes) node.die();
  await world.stop();
  await collector.stop();
});

async function register(node: string, region: string): Promise<FakeNode> {
  const registered = await FakeNode.register(world, node, region);
  nodes.push(registered);
  return registered;
}

const report = (traceparent: string, more: object = {}) => ({
  traceparent,
  outcome: "joined",
  age: 900,
  took: 400,
  steps: {
    offer: 5,
    ticket: 40,
    open: 60,
    welcome: 70,
    answer: 90,
    ice: 120,
    connected: 160,
    "first-frame": 400,
  },
  ...more,
});

/** The names of a trace's spans. */
const names = (trace: string) => new Set(collector.trace(trace).map(({ name }) => name));

test("a join is one trace, from the click through Worker, room, region and node, in two regions", async () => {
  await start({ CONNECT_OTLP_ENDPOINT: collector.url });
  const [eu, us] = [await register("eu-1", "eu-west"), await register("us-1", "us-east")];
  const [ada, ben] = [await world.person("Ada"), await world.person("Ben")];
  const room = await ada.createRoom("Plans of Ada");
  await ada.enter(room, { region: "eu-west", offer: OFFER });
  await eu.openRoom();

  const joined = await ben.join(room, { region: "us-east", offer: OFFER, traceparent: TRACEPARENT });
  const open = await us.control.next("openRoom");
  const link = await us.link(open.room, open.epoch);
  const offer = await link.socket.next("offer");
  // Both messages say which request and which trace they are for.
  for (const { trail } of [open, offer]) {
    expect(trail?.traceparent).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`));
  }
  expect(offer.trail?.request).toBe(open.trail?.request);
  link.socket.send({ type: "answer", participant: joined.participant, attempt: 1, sdp: "v=0 yes" });
  const { socket } = await Client.open(world, joined.url);
  await socket.next("answer");
  const path = `/api/rooms/${room.id}/joins`;
  expect((await ben.call(path, { body: report(TRACEPARENT) })).status).toBe(204);

  const steps = [
    ...["join", "client.offer", "client.ticket", "client.socket", "client.welcome", "client.answer"],
    ...["client.ice", "client.dtls", "client.first-frame", "edge.request", "room.join", "room.socket"],
    ...["room.assign", "region.assign", "room.answer"],
  ];
  await expect.poll(() => names(TRACE)).toEqual(new Set(steps));
  const spans = collector.trace(TRACE);
  const root = spans.find(({ name }) => name === "join");
  expect(root).toMatchObject({ id: ROOT, parent: undefined, failed: false });
  // A tree: each span but the root was caused by another one of the trace.
  const ids = new Set(spans.map(({ id }) => id));
  expect(spans.filter(({ parent }) => parent !== undefined && !ids.has(parent))).toEqual([]);
  const assigned = spans.find(({ name }) => name === "room.assign");
  expect(assigned?.attributes.get("connect.region")).toBe("us-east");
  expect(assigned?.attributes.get("connect.node")).toBe("us-1");
  expect(root?.end ?? 0).toBeGreaterThan(root?.start ?? 0);

  // Nothing in any of it but what is listed, and nobody's name, address or words.
  const { spans: known, attributes } = listed(
    readFileSync(new URL("../../docs/tracing.md", import.meta.url), "utf8"),
  );
  expect([...new Set(collector.spans.map(({ name }) => name))].filter((name) => !known.has(name))).toEqual(
    [],
  );
  const used = new Set(collector.spans.flatMap((span) => [...span.attributes.keys()]));
  expect([...used].filter((name) => !attributes.has(name))).toEqual([]);
  const secrets = [ada.email, ben.email, "Ada", "Ben", "Plans", "127.0.0.1", ben.token, joined.ticket];
  for (const text of [...collector.bodies, ...lines]) {
    for (const secret of secrets) expect(text).not.toContain(secret);
  }
  // The log has the join by its request.
  const ofJoin = lines.filter((line) => line.includes(String(open.trail?.request)));
  expect(ofJoin.map((line) => JSON.parse(line).event)).toEqual(expect.arrayContaining(["request", "placed"]));
});

test("what a client tells of its join is checked", async () => {
  await start({ CONNECT_OTLP_ENDPOINT: collector.url });
  const ada = await world.person("Ada");
  const room = await ada.createRoom();
  const path = `/api/rooms/${room.id}/joins`;
  const tell = async (body: object) => (await ada.call(path, { body })).status;
  expect((await world.call(path, { body: report(TRACEPARENT) })).status).toBe(401);
  for (const spoilt of [
    report("ada@example.com"),
    report(TRACEPARENT, { outcome: "fine" }),
    report(TRACEPARENT, { age: 1e9 }),
    report(TRACEPARENT, { took: 1_000 }),
    report(TRACEPARENT, { steps: { ice: -1 } }),
    report(TRACEPARENT, { steps: { "first-frame": "soon" } }),
  ]) {
    expect(await tell(spoilt)).toBe(422);
  }
  // What a newer client knows besides is passed over.
  expect(await tell({ ...report(TRACEPARENT), weather: "fair" })).toBe(204);
});

test("of few traces that are exported, those of failed joins are among them", async () => {
  await start({ CONNECT_OTLP_ENDPOINT: collector.url, CONNECT_TRACE_SHARE: "0" });
  const ada = await world.person("Ada");
  const path = `/api/rooms/${(await ada.createRoom()).id}/joins`;
  const [fine, failed] = [`00-${"1".repeat(32)}-${ROOT}-01`, `00-${"2".repeat(32)}-${ROOT}-01`];
  await ada.call(path, { body: report(fine) });
  await ada.call(path, { body: report(failed, { outcome: "failed" }) });
  await expect.poll(() => names("2".repeat(32)).has("join")).toBe(true);
  expect(collector.trace("1".repeat(32))).toEqual([]);
});

test("a collector that is away costs nobody anything but the spans", async () => {
  await start({ CONNECT_OTLP_ENDPOINT: collector.url, CONNECT_METRICS_TOKEN: "t" });
  await collector.stop();
  const node = await register("eu-1", "eu-west");
  const ada = await world.person("Ada");
  const joined = await ada.join(await ada.createRoom(), { offer: OFFER, traceparent: TRACEPARENT });
  const link = await node.openRoom();
  await link.socket.next("offer");
  link.socket.send({ type: "answer", participant: joined.participant, attempt: 1, sdp: "v=0 yes" });
  const { socket } = await Client.open(world, joined.url);
  await socket.next("answer");
  const page = async () =>
    (await fetch(`${world.url}/metrics`, { headers: { authorization: "Bearer t" } })).text();
  await expect.poll(page).toMatch(/^connect_edge_spans_dropped_total\{.*\} [1-9]/m);
});

test("a request has an id, that of a proxy where one is to be believed", async () => {
  await start({});
  const ask = (id: string) => world.call("/api/auth/me", { headers: { "x-request-id": id } });
  const idOf = async (id: string) => (await ask(id)).headers.get("x-request-id");
  expect(await idOf("from-a-stranger")).toMatch(/^[0-9a-f]{16}$/);
  await world.stop();
  await start({ CONNECT_REQUEST_ID_HEADER: "x-request-id" });
  expect(await idOf("8f3a-of-a-proxy")).toBe("8f3a-of-a-proxy");
  expect(await idOf('","name":"Ada')).toMatch(/^[0-9a-f]{16}$/);
  const line = lines.map((text) => JSON.parse(text)).find(({ request }) => request === "8f3a-of-a-proxy");
  expect(line).toMatchObject({ level: "info", event: "refused", kind: "unauthenticated" });
});
