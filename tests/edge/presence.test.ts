// Presence: what the others see of somebody whose media fails, and who is gone after half a minute without a sign.
import { afterAll, beforeAll, expect, test } from "vitest";
import { FakeNode, type RoomLink } from "./fake-node.ts";
import { type Client, type Person, World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

/** Longer than somebody without a sign stays. */
const STAY = 45_000;

/** The owner is in the room, and a node has it. */
async function call() {
  const owner = await world.person("Owner");
  const room = await owner.createRoom();
  const node = await FakeNode.register(world, "eu-1", "eu-west");
  const watcher = await owner.enter(room);
  const link = await node.openRoom();
  await link.socket.next("plan");
  /** Somebody whose media flows. */
  const enter = async (person: Person): Promise<Client> => {
    const client = await person.enter(room, { decodes: ["vp9", "opus", "vp8", "vp8"] });
    const { you: participant } = client.welcome;
    client.socket.send({ type: "offer", attempt: 1, sdp: "v=0", sources: [] });
    await link.socket.next("offer", (offer) => offer.participant === participant);
    link.socket.send({ type: "answer", participant, attempt: 1, sdp: "v=0 answer" });
    link.socket.send({ type: "connected", participant, attempt: 1 });
    await client.socket.next("answer");
    return client;
  };
  return { room, node, link, watcher, enter };
}

function says(link: RoomLink, type: "silent" | "heard", { welcome }: Client) {
  link.socket.send({ type, participant: welcome.you, attempt: 1 });
}

async function connection(watcher: Client, of: Client): Promise<string | undefined> {
  const { you: participant } = of.welcome;
  const { event } = await watcher.socket.next(
    "event",
    ({ event }) => event.type === "connection" && event.participant === participant,
  );
  return event.type === "connection" ? event.connection : undefined;
}

test("who is silent is reconnecting, for whoever comes then, too, and connected when heard", async () => {
  const { room, node, link, watcher, enter } = await call();
  const [bob, cy] = await Promise.all([world.person("Bob"), world.person("Cy")]);
  const client = await enter(bob);
  says(link, "silent", client);
  expect(await connection(watcher, client)).toBe("reconnecting");
  const late = await cy.enter(room);
  const { you } = client.welcome;
  const shown = late.welcome.snapshot?.participants.find(({ id }) => id === you);
  expect(shown).toMatchObject({ connection: "reconnecting", decodes: ["vp8", "vp9"] });
  says(link, "heard", client);
  expect(await connection(watcher, client)).toBe("connected");
  node.die();
});

test("who has had no media for two seconds is connecting", async () => {
  const { node, room, link, watcher } = await call();
  const bob = await world.person("Bob");
  const client = await bob.enter(room, { offer: { attempt: 1, sdp: "v=0", sources: [] } });
  const { you: participant } = client.welcome;
  expect(await connection(watcher, client)).toBe("connecting");
  link.socket.send({ type: "connected", participant, attempt: 1 });
  expect(await connection(watcher, client)).toBe("connected");
  expect(client.welcome.redialWithinMs).toBe(250);
  node.die();
});

test("who gives no sign for half a minute is gone, and nobody else is", { timeout: 2 * STAY }, async () => {
  const { node, room, link, watcher, enter } = await call();
  const names = ["Stopped", "Blocked", "Quiet"];
  const [stopped, blocked, quiet] = await Promise.all(
    names.map(async (name) => enter(await world.person(name))),
  );
  if (!stopped || !blocked || !quiet) throw new Error("all three are in");
  // All three have pinged. Media comes from the third alone, and pings from the second.
  for (const { socket } of [stopped, blocked, quiet]) socket.send("ping");
  const pings = setInterval(() => blocked.socket.send("ping"), 5_000);
  for (const client of [stopped, blocked]) says(link, "silent", client);
  expect(await connection(watcher, stopped)).toBe("reconnecting");
  expect(await connection(watcher, blocked)).toBe("reconnecting");

  const left = ({ event }: { event: { type: string } }) => event.type === "left";
  const { event } = await watcher.socket.next("event", left, STAY);
  expect(event).toEqual({ type: "left", participant: stopped.welcome.you, reason: "connectionLost" });
  await stopped.socket.closed;
  // The second comes back as the same; so did the third without having been away, and the owner never pinged at all.
  says(link, "heard", blocked);
  expect(await connection(watcher, blocked)).toBe("connected");
  for (const [nonce, { socket }] of [blocked, quiet, watcher].entries()) {
    socket.send({ type: "chat", nonce: String(nonce), text: "here" });
    await socket.next("chatAccepted");
  }
  const late = await (await world.person("Late")).enter(room);
  expect(late.welcome.snapshot?.participants).toHaveLength(4);
  clearInterval(pings);
  node.die();
});
