// Placement: assignment, offers and answers, the plan of the cascade, and the death of a node.
import { expect, test } from "vitest";
import { offer, register, world } from "./each-world.ts";

test("two regions: offers go to the wished node, and the nodes learn of each other", async () => {
  const [eu, us] = [await register("eu-1", "eu-west"), await register("us-1", "us-east")];
  const ada = await world.person("Ada");
  const room = await ada.createRoom();
  // The node is assigned before the WebSocket opens.
  const joined = await ada.join(room, { region: "us-east" });
  const usLink = await us.openRoom();
  const first = await ada.enter(room, { region: "eu-west" });
  first.socket.send(offer(1));
  // The offer waits for the node's link.
  const euLink = await eu.openRoom();
  const relayed = await euLink.socket.next("offer");
  expect(relayed).toMatchObject({ participant: first.welcome.you, attempt: 1, sdp: "v=0 1" });
  euLink.socket.send({ type: "answer", participant: first.welcome.you, attempt: 1, sdp: "v=0 yes" });
  expect(await first.socket.next("answer")).toEqual({
    type: "answer",
    attempt: 1,
    sdp: "v=0 yes",
    node: "eu-1",
    region: "eu-west",
  });
  const plan = await euLink.socket.next("plan", ({ peers }) => peers.length === 1);
  expect(plan.peers).toMatchObject([{ node: "us-1", region: "us-east", quic: "us-1.example:7000" }]);
  await usLink.socket.next("plan", ({ peers }) => peers[0]?.node === "eu-1");
  expect(joined.participant).not.toBe(first.welcome.you);

  // A second participant of the region shares the node; an old attempt is ignored.
  const second = await ada.enter(room, { region: "eu-west" });
  second.socket.send(offer(5));
  second.socket.send(offer(4));
  expect(await euLink.socket.next("offer")).toMatchObject({ participant: second.welcome.you, attempt: 5 });
  euLink.socket.send({ type: "answer", participant: second.welcome.you, attempt: 4, sdp: "v=0 late" });
  euLink.socket.send({ type: "answer", participant: second.welcome.you, attempt: 5, sdp: "v=0 right" });
  expect(await second.socket.next("answer")).toMatchObject({ attempt: 5, sdp: "v=0 right" });

  // A lost session and a failed one are offered anew; a bad offer is said to be one.
  euLink.socket.send({ type: "disconnected", participant: first.welcome.you, attempt: 1 });
  expect(await first.socket.next("renegotiate")).toMatchObject({ attempt: 1 });
  second.socket.send({ type: "mediaFailed", attempt: 5 });
  expect(await euLink.socket.next("close")).toMatchObject({ participant: second.welcome.you, attempt: 5 });
  expect(await second.socket.next("renegotiate")).toMatchObject({ attempt: 5 });
  first.socket.send(offer(2));
  await euLink.socket.next("offer");
  euLink.socket.send({
    type: "refused",
    participant: first.welcome.you,
    attempt: 2,
    reason: "badOffer",
    message: "no ICE",
  });
  expect(await first.socket.next("error")).toMatchObject({ code: "badOffer" });
});

test("a node dies: its people offer again, at a node under a new epoch", async () => {
  const eu = await register("eu-1", "eu-west");
  const ada = await world.person("Ada");
  const room = await ada.createRoom();
  const client = await ada.enter(room);
  const old = await eu.openRoom();
  client.socket.send(offer(1));
  await old.socket.next("offer");
  old.socket.send({ type: "answer", participant: client.welcome.you, attempt: 1, sdp: "v=0" });
  await client.socket.next("answer");
  client.socket.send({ type: "chat", nonce: "n", text: "kept" });
  await client.socket.next("chatAccepted");

  const us = await register("us-1", "us-east");
  eu.die();
  old.socket.close();
  expect(await client.socket.next("renegotiate")).toMatchObject({ attempt: 1 });
  client.socket.send(offer(2));
  const fresh = await us.openRoom();
  expect(fresh.epoch).toBeGreaterThan(old.epoch);
  expect(await fresh.socket.next("offer")).toMatchObject({ attempt: 2 });
  const placed = await client.socket.next("event", ({ event }) => event.type === "placed");
  expect(placed.event).toMatchObject({ participant: client.welcome.you, region: "us-east" });
  // The dead node comes back late: its epoch is over.
  await expect(eu.link(room.id, old.epoch)).rejects.toThrow("refused");
  const again = await ada.enter(room);
  expect(again.welcome.snapshot?.chat.map((line) => line.text)).toEqual(["kept"]);
});

test("a link that comes right back changes nothing", async () => {
  const eu = await register("eu-1", "eu-west");
  const ada = await world.person("Ada");
  const room = await ada.createRoom();
  const client = await ada.enter(room);
  const link = await eu.openRoom();
  client.socket.send(offer(1));
  const { participant } = await link.socket.next("offer");
  link.socket.send({ type: "answer", participant, attempt: 1, sdp: "v=0" });
  await client.socket.next("answer");
  link.socket.close();
  await link.socket.closed;
  const again = await eu.link(room.id, link.epoch, [{ participant, attempt: 1 }]);
  await again.socket.next("plan");
  again.socket.send({ type: "disconnected", participant, attempt: 1 });
  // The first word about renegotiation is the one that was asked for now.
  expect(await client.socket.next("renegotiate")).toMatchObject({ reason: "the media connection was lost" });
});

test("without a node the client is told, and served as soon as there is one", async () => {
  const ada = await world.person("Ada");
  const client = await ada.enter(await ada.createRoom());
  expect(await client.socket.next("error")).toMatchObject({ code: "noNode" });
  client.socket.send(offer(1));
  const eu = await register("eu-1", "eu-west");
  const link = await eu.openRoom();
  await link.socket.next("offer");
});

test("a full node gives its offers away, and an empty room is released", async () => {
  const full = await register("eu-1", "eu-west", { cpu: 0, sessions: 0, rooms: 0, maxSessions: 100 });
  const ada = await world.person("Ada");
  const client = await ada.enter(await ada.createRoom());
  const link = await full.openRoom();
  client.socket.send(offer(1));
  const { participant } = await link.socket.next("offer");
  const other = await register("eu-2", "eu-west");
  link.socket.send({ type: "refused", participant, attempt: 1, reason: "noCapacity", message: "full" });
  const next = await other.openRoom();
  expect(await next.socket.next("offer")).toMatchObject({ participant, attempt: 1 });
  next.socket.send({ type: "answer", participant, attempt: 1, sdp: "v=0 yes" });
  await link.socket.next("release");
  client.socket.send({ type: "leave" });
  expect(await next.socket.next("close")).toMatchObject({ participant, attempt: 1 });
});
