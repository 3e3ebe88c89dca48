// Offers that travel with the join: answered right after the welcome, refused likewise, closed when nobody comes.
import { afterEach, beforeEach, expect, test } from "vitest";
import { FakeNode } from "./fake-node.ts";
import { Client, type Person, World } from "./world.ts";

let world: World;
let node: FakeNode;
let ada: Person;
beforeEach(async () => {
  world = await World.start();
  node = await FakeNode.register(world, "eu-1", "eu-west");
  ada = await world.person("Ada");
});
afterEach(async () => {
  node.die();
  await world.stop();
});

const offer = { attempt: 1, sdp: "v=0 early", sources: [{ mid: "0", source: "microphone" }] };

test("the answer is there with the welcome", async () => {
  const bob = await world.person("Bob");
  const room = await ada.createRoom();
  const first = await bob.enter(room);
  const link = await node.openRoom();
  const { participant, url, room: shown } = await ada.join(room, { offer });
  expect(await link.socket.next("offer")).toMatchObject({ participant, ...offer });
  link.socket.send({ type: "answer", participant, attempt: 1, sdp: "v=0 yes" });
  expect(shown.people).toBe(1);

  const { socket, welcome } = await Client.open(world, url);
  expect(await socket.next("answer")).toMatchObject({ attempt: 1, sdp: "v=0 yes", node: "eu-1" });
  // Bob hears of Ada when she comes, and nothing before.
  const { event } = await first.socket.next("event", ({ event }) => event.type === "joined");
  expect(event).toMatchObject({ participant: { id: participant, region: "eu-west" } });
  expect(JSON.stringify(first.socket.pending("event"))).not.toContain(participant);

  // The same offer again, as an older client would send it, is no news; a higher attempt is.
  socket.send({ type: "offer", ...offer });
  socket.send({ type: "offer", ...offer, attempt: 2 });
  expect(await link.socket.next("close")).toMatchObject({ participant: welcome.you, attempt: 1 });
  expect(await link.socket.next("offer")).toMatchObject({ attempt: 2 });
});

test("a refusal follows the welcome", async () => {
  const { participant, url } = await ada.join(await ada.createRoom(), { offer });
  const link = await node.openRoom();
  await link.socket.next("offer");
  const refused = { type: "refused", participant, attempt: 1, reason: "badOffer", message: "no ICE" };
  link.socket.send(refused);
  const { socket } = await Client.open(world, url);
  expect(await socket.next("error")).toMatchObject({ code: "badOffer" });
});

test("two joins of one person are two participants with an answer each", async () => {
  const room = await ada.createRoom();
  const joins = [await ada.join(room, { offer }), await ada.join(room, { offer })];
  const link = await node.openRoom();
  for (const { participant, url } of joins) {
    await link.socket.next("offer", (message) => message.participant === participant);
    link.socket.send({ type: "answer", participant, attempt: 1, sdp: `v=0 ${participant}` });
    const { socket } = await Client.open(world, url);
    expect(await socket.next("answer")).toMatchObject({ sdp: `v=0 ${participant}` });
  }
});

test("an answer that a restart lost is asked for anew", async () => {
  const { participant, url } = await ada.join(await ada.createRoom(), { offer });
  const link = await node.openRoom();
  await link.socket.next("offer");
  link.socket.send({ type: "answer", participant, attempt: 1, sdp: "v=0 lost" });
  node.die();
  await world.restart();
  const { socket } = await Client.open(world, url);
  expect(await socket.next("renegotiate")).toMatchObject({ attempt: 1 });
});
