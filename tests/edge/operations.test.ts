// What those who run it ask: whether it is set up, and how it goes.
import { afterEach, expect, test } from "vitest";
import { FakeNode } from "./fake-node.ts";
import { World } from "./world.ts";

const TOKEN = "a token for Prometheus";
let world: World;
afterEach(() => world.stop());

async function metrics(token = TOKEN): Promise<string> {
  const response = await fetch(`${world.url}/metrics`, { headers: { authorization: `Bearer ${token}` } });
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toContain("text/plain; version=0.0.4");
  return response.text();
}

/** The sum of a family's series that have all these labels, whichever shards they are of. */
function sum(page: string, name: string, ...labels: string[]): number {
  const lines = page.split("\n").filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  const fit = lines.filter((line) => labels.every((label) => line.includes(label)));
  return fit.reduce((total, line) => total + Number(line.slice(line.lastIndexOf(" "))), 0);
}

test("the health of the edge is told to whoever asks, however often, and wakes nothing", async () => {
  world = await World.start({ CONNECT_LIMIT_REQUESTS: "1/60" });
  const asked = { headers: { "cf-connecting-ip": "192.0.2.7" } };
  const statuses = [];
  for (let again = 0; again < 5; again++) statuses.push((await world.call("/healthz", asked)).status);
  expect(statuses).toEqual([200, 200, 200, 200, 200]);
  // Anything else is counted by an object, and held off.
  await world.call("/api/auth/me", asked);
  expect((await world.call("/api/auth/me", asked)).status).toBe(429);
  expect((await world.call("/healthz", asked)).body).toEqual({
    status: "ok",
    version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
    variables: [],
  });
  expect((await world.call("/healthz", { method: "POST", ...asked })).status).toBe(405);
});

test("an edge that is not set up says which variables are at fault, and nothing that is in them", async () => {
  world = await World.start({
    CONNECT_REGIONS: "",
    CONNECT_SIGNING_KEYS: "secret words",
    CONNECT_OIDC: "[{}]",
  });
  const { status, body } = await world.call<object>("/healthz");
  expect(status).toBe(503);
  expect(body).toMatchObject({
    status: "misconfigured",
    variables: ["CONNECT_REGIONS", "CONNECT_SIGNING_KEYS", "CONNECT_OIDC"],
  });
  expect(JSON.stringify(body)).not.toContain("secret words");
});

test("metrics are for who shows the token, and there are none without one", async () => {
  world = await World.start({ CONNECT_METRICS_TOKEN: TOKEN });
  expect((await world.call("/metrics")).status).toBe(401);
  const wrong = { headers: { authorization: "Bearer another" } };
  expect((await world.call("/metrics", wrong)).status).toBe(401);
  expect(await metrics()).toContain("# TYPE connect_edge_request_duration_seconds histogram");
  await world.stop();
  world = await World.start();
  expect((await world.call("/metrics", { headers: { authorization: "Bearer " } })).status).toBe(404);
});

test("rooms, people, sockets, messages, requests, refusals, assignments and joins are counted", async () => {
  world = await World.start({ CONNECT_METRICS_TOKEN: TOKEN });
  const node = await FakeNode.register(world, "eu-1", "eu-west");
  const [ada, ben] = [await world.person("Ada"), await world.person("Ben")];
  const room = await ada.createRoom();
  const [first] = [await ada.enter(room), await ben.enter(room)];
  await node.openRoom();
  first.socket.send({ type: "raiseHand" });
  expect((await world.call("/api/auth/me")).status).toBe(401);
  expect((await world.call("/api/rooms/ada@example.com")).status).toBe(404);
  for (const outcome of ["joined", "failed", "failed", "givenUp"]) {
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
    const body = { traceparent, outcome, age: 900, took: 400, steps: {} };
    expect((await ada.call(`/api/rooms/${room.id}/joins`, { body })).status).toBe(204);
  }
  const counted = async () => {
    const page = await metrics();
    const of = (name: string, ...labels: string[]) => sum(page, `connect_edge_${name}`, ...labels);
    return {
      rooms: of("rooms"),
      people: of("people"),
      clients: of("sockets_opened_total", 'peer="client"'),
      nodes: of("sockets_opened_total", 'peer="node"'),
      said: of("messages_total", 'from="client"') > 0 && of("messages_total", 'from="node"') > 0,
      joins: of("request_duration_seconds_count", 'route="/api/rooms/{id}/join"'),
      refused: of("refusals_total", 'kind="unauthenticated"'),
      assigned: of("assignments_total", 'region="eu-west"', 'outcome="node"') > 0,
      joined: of("joins_total", 'outcome="joined"'),
      failed: of("joins_total", 'outcome="failed"'),
      givenUp: of("joins_total", 'outcome="given-up"'),
      quick: of("join_duration_seconds_bucket", 'le="0.5"'),
    };
  };
  await expect.poll(counted, { interval: 500 }).toEqual({
    rooms: 1,
    people: 2,
    clients: 2,
    nodes: 1,
    said: true,
    joins: 2,
    refused: 1,
    assigned: true,
    joined: 1,
    failed: 2,
    givenUp: 1,
    quick: 1,
  });
  // What somebody wrote into an address is nowhere.
  expect(await metrics()).not.toContain("ada@example.com");
  node.die();
});
