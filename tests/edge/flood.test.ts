// Floods: whoever sends what nobody wants is cut off after a few messages, and disturbs nobody while the rest still comes in.
import { afterAll, beforeAll, expect, test } from "vitest";
import { BluntSocket } from "./blunt-socket.ts";
import { FakeNode, LOAD, nodeToken } from "./fake-node.ts";
import { Client, World } from "./world.ts";

const NONSENSE = 1008;
const TOO_MUCH = 4429;

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

/** People and a node go about their business, round after round: none of it may stand in line behind a flood. */
async function business(bystanders: Client[], node: FakeNode, token: string) {
  for (let round = 0; round < 10; round++) {
    const chat = async ({ socket }: Client) => {
      socket.send({ type: "chat", nonce: `n${round}`, text: "undisturbed" });
      await socket.next("chatAccepted", ({ nonce }) => nonce === `n${round}`);
    };
    const beat = async () => {
      node.control.send({ type: "register", version: 1, node: node.node, region: node.region, load: LOAD });
      await node.control.next("registered");
    };
    const me = world.call("/api/auth/me", { token });
    const [{ status }] = await Promise.all([me, beat(), ...bystanders.map(chat)]);
    expect(status).toBe(200);
  }
}

const LONG = "x".repeat(1_000);
test.each([
  ["what is no message", NONSENSE, (flood: BluntSocket) => flood.flood("{", 60_000)],
  ["binary messages", NONSENSE, (flood: BluntSocket) => flood.floodBytes(Buffer.from("{}"), 60_000)],
  ["what is far too long", NONSENSE, (flood: BluntSocket) => flood.flood("x".repeat(300_000), 100)],
  [
    "good messages",
    TOO_MUCH,
    (flood: BluntSocket) => flood.flood('{"type":"mediaFailed","attempt":9}', 60_000),
  ],
  [
    "chat",
    TOO_MUCH,
    (flood: BluntSocket) => flood.flood(`{"type":"chat","nonce":"n","text":"${LONG}"}`, 10_000),
  ],
])("%s by the thousand, and everybody else goes on", async (_, code, attack) => {
  const [ada, eve] = await Promise.all([world.person("Ada"), world.person("Eve")]);
  const [hers, theirs] = await Promise.all([eve.createRoom(), ada.createRoom()]);
  const bystanders = [await ada.enter(hers), await ada.enter(theirs)];
  const node = await FakeNode.register(world, "eu-1", "eu-west");
  const { url } = await eve.join(hers);
  const flood = await BluntSocket.open(world.url + url);
  attack(flood);
  await business(bystanders, node, ada.token);
  expect(await flood.closed).toBe(code);
  await expect(Client.open(world, url)).rejects.toThrow("refused");
  flood.end();
  node.die();
});

test("a node that floods loses its link, and the others keep theirs", async () => {
  const ada = await world.person("Ada");
  const room = await ada.createRoom();
  const client = await ada.enter(room);
  const node = await FakeNode.register(world, "us-1", "us-east");
  const authorization = `Bearer ${nodeToken("us-2", "us-east")}`;
  const control = await BluntSocket.open(`${world.url}/node/regions/us-east`, { authorization });
  control.flood("{", 60_000);
  await business([client], node, ada.token);
  expect(await control.closed).toBe(NONSENSE);
  control.end();
  node.die();
});

test("a node that floods the link of a room loses that", async () => {
  const ada = await world.person("Ada");
  const room = await ada.createRoom();
  const node = await FakeNode.register(world, "eu-1", "eu-west");
  const client = await ada.enter(room);
  const { epoch } = await node.control.next("openRoom", ({ room: id }) => id === room.id);
  const authorization = `Bearer ${nodeToken("eu-1", "eu-west")}`;
  const link = await BluntSocket.open(`${world.url}/node/rooms/${room.id}?epoch=${epoch}`, { authorization });
  // Each by itself is borne: a newer node may say what this release does not know.
  link.flood('{"type":"of a later version"}', 60_000);
  await business([client], node, ada.token);
  expect(await link.closed).toBe(NONSENSE);
  link.end();
  node.die();
});
