// Residency: of a room that is bound to regions nothing leaves them, whatever its people ask for and whatever fails.
import { afterEach, beforeEach, expect, test } from "vitest";
import type { RoomDetails } from "../../web/sdk/src/generated/protocol.ts";
import { FakeNode } from "./fake-node.ts";
import { World } from "./world.ts";

const offer = (attempt: number) => ({ type: "offer", attempt, sdp: `v=0 ${attempt}`, sources: [] });
let world: World;
let nodes: FakeNode[];
beforeEach(async () => {
  nodes = [];
  world = await World.start({
    CONNECT_TURN_URLS: "eu-west=turn:eu.example:3478, us-east=turn:us.example:3478, turn:any.example:3478",
    CONNECT_TURN_SECRET: "secret",
  });
});
afterEach(async () => {
  for (const node of nodes) node.die();
  await world.stop();
});

async function register(node: string, region: string, address: string): Promise<FakeNode> {
  const registered = await FakeNode.register(world, node, region, undefined, [address]);
  nodes.push(registered);
  return registered;
}

test("media of a bound room is in its regions alone, also when they have no node left", async () => {
  const eu = await register("eu-1", "eu-west", "192.0.2.1:4000");
  const us = await register("us-1", "us-east", "192.0.2.2:4000");
  let usWasAsked = false;
  void us.control.next("openRoom").then(
    () => {
      usWasAsked = true;
    },
    () => {},
  );
  const ada = await world.person("Ada");
  const room = await ada.createRoom("Board", {}, ["eu-west"]);
  // Somebody over there, who measured that that is far nearer.
  const client = await ada.enter(room, { region: "us-east", roundTrips: { "us-east": 5, "eu-west": 90 } });
  const link = await eu.openRoom();
  client.socket.send(offer(1));
  const { participant } = await link.socket.next("offer");
  link.socket.send({ type: "answer", participant, attempt: 1, sdp: "v=0" });
  expect(await client.socket.next("answer")).toMatchObject({ node: "eu-1", region: "eu-west" });
  expect((await link.socket.next("plan")).peers).toEqual([]);

  // Its only node dies: nobody serves, rather than the other region.
  eu.die();
  link.socket.close();
  await client.socket.next("renegotiate");
  client.socket.send(offer(2));
  expect(await client.socket.next("error")).toMatchObject({ code: "noNode" });
  // It is not open for the other region's node either.
  await expect(us.link(room.id, link.epoch)).rejects.toThrow("refused");
  const again = await register("eu-2", "eu-west", "192.0.2.3:4000");
  const fresh = await again.openRoom();
  expect(await fresh.socket.next("offer")).toMatchObject({ attempt: 2 });
  expect(usWasAsked).toBe(false);
});

test("who is bound is told of TURN and of nodes in those regions alone", async () => {
  await register("eu-1", "eu-west", "192.0.2.1:4000");
  await register("us-1", "us-east", "192.0.2.2:4000");
  const ada = await world.person("Ada");
  const [bound, free] = [await ada.createRoom("Board", {}, ["eu-west"]), await ada.createRoom()];
  const [inEu, everywhere] = [await ada.ice(bound), await ada.ice(free)];
  expect(inEu.iceServers.flatMap(({ urls }) => urls)).toEqual(["turn:eu.example:3478"]);
  expect(inEu.probes).toEqual({ "eu-west": ["192.0.2.1:4000"] });
  expect(everywhere.iceServers[0]?.urls).toHaveLength(3);
  expect(everywhere.probes).toEqual({ "eu-west": ["192.0.2.1:4000"], "us-east": ["192.0.2.2:4000"] });
  const joined = await ada.join(bound);
  expect(joined.iceServers.flatMap(({ urls }) => urls)).toEqual(["turn:eu.example:3478"]);
});

test("a room is bound to regions that there are, for good", async () => {
  const ada = await world.person("Ada");
  const body = { name: "Board", regions: ["atlantis"] };
  const refused = await ada.call("/api/rooms", { body });
  expect(refused).toMatchObject({ status: 422, body: { errors: [{ field: "regions" }] } });
  const room = await ada.createRoom("Board", {}, ["eu-west"]);
  await world.restart();
  expect((await ada.call<RoomDetails>(`/api/rooms/${room.id}`)).status).toBe(200);
  expect(Object.keys((await ada.ice(room)).probes)).not.toContain("us-east");
  expect((await ada.ice(room)).iceServers.flatMap(({ urls }) => urls)).toEqual(["turn:eu.example:3478"]);
});

test("an installation in a jurisdiction stores nothing where the platform cannot keep to it", async () => {
  // The platform here knows of jurisdictions and has none: every object that is asked for is asked for in that one.
  const bound = await World.start({ CONNECT_JURISDICTION: "eu" });
  try {
    const body = { email: "ada@example.com", password: "password123", name: "Ada" };
    expect((await bound.call("/api/auth/register", { body })).status).toBe(500);
  } finally {
    await bound.stop();
  }
});
