// A node that is dead, or stands still: its people and the room find out, and another one is asked.
import { expect, test } from "vitest";
import { offer, register, world } from "./each-world.ts";

test("a node without link and media is left as soon as its people say so", async () => {
  const eu = await register("eu-1", "eu-west");
  await register("us-1", "us-east");
  const ada = await world.person("Ada");
  const client = await ada.enter(await ada.createRoom(), { region: "eu-west" });
  const participant = client.welcome.you;
  client.socket.send(offer(1));
  const link = await eu.openRoom();
  await link.socket.next("offer");
  link.socket.send({ type: "answer", participant, attempt: 1, sdp: "v=0" });
  await client.socket.next("answer");
  link.socket.send({ type: "connected", participant, attempt: 1 });
  eu.die();
  link.socket.close();
  expect(await client.socket.next("checkMedia")).toMatchObject({ attempt: 1 });
  client.socket.send({ type: "noMedia", attempt: 1 });
  expect(await client.socket.next("renegotiate")).toMatchObject({ attempt: 1 });
  // Its region may still wait for it; who has given it up does not.
  const { event } = await client.socket.next("event", ({ event }) => event.type === "placed");
  expect(event).toMatchObject({ region: "us-east" });
});

test("an offer that a node says nothing to goes to the next one, and so do those who join", async () => {
  const eu = await register("eu-1", "eu-west");
  const ada = await world.person("Ada");
  const room = await ada.createRoom();
  const client = await ada.enter(room, { region: "eu-west" });
  const link = await eu.openRoom();
  client.socket.send(offer(1));
  await link.socket.next("offer");
  const other = await register("eu-2", "eu-west");
  const next = await other.openRoom();
  expect(await next.socket.next("offer")).toMatchObject({ participant: client.welcome.you, attempt: 1 });
  expect(await link.socket.next("close")).toMatchObject({ participant: client.welcome.you, attempt: 1 });
  expect(client.socket.pending("renegotiate")).toEqual([]);
  const ben = await (await world.person("Ben")).enter(room, { region: "eu-west" });
  ben.socket.send(offer(1));
  expect(await next.socket.next("offer")).toMatchObject({ participant: ben.welcome.you });
});

test("a restart of ICE that a node says nothing to is answered by another one", async () => {
  const eu = await register("eu-1", "eu-west");
  const ada = await world.person("Ada");
  const client = await ada.enter(await ada.createRoom(), { region: "eu-west" });
  const participant = client.welcome.you;
  client.socket.send(offer(1));
  const link = await eu.openRoom();
  await link.socket.next("offer");
  link.socket.send({ type: "answer", participant, attempt: 1, sdp: "v=0" });
  await client.socket.next("answer");
  link.socket.send({ type: "connected", participant, attempt: 1 });
  const other = await register("eu-2", "eu-west");
  client.socket.send({ type: "restartIce", attempt: 1, sdp: "v=0" });
  expect(await client.socket.next("renegotiate")).toMatchObject({
    attempt: 1,
    reason: "the media node did not answer",
  });
  client.socket.send(offer(2));
  const next = await other.openRoom();
  expect(await next.socket.next("offer")).toMatchObject({ participant, attempt: 2 });
});

test("a node that stands still is not asked again while another region has one", async () => {
  const eu = await register("eu-1", "eu-west");
  const us = await register("us-1", "us-east");
  const ada = await world.person("Ada");
  const client = await ada.enter(await ada.createRoom(), { region: "eu-west" });
  const participant = client.welcome.you;
  client.socket.send(offer(1));
  const link = await eu.openRoom();
  await link.socket.next("offer");
  link.socket.send({ type: "answer", participant, attempt: 1, sdp: "v=0" });
  await client.socket.next("answer");
  link.socket.send({ type: "connected", participant, attempt: 1 });
  client.socket.send({ type: "restartIce", attempt: 1, sdp: "v=0" });
  await client.socket.next("renegotiate");
  client.socket.send(offer(2));
  const next = await us.openRoom();
  expect(await next.socket.next("offer")).toMatchObject({ participant, attempt: 2 });
  // Its region still takes it for living.
  expect(link.socket.pending("offer")).toEqual([]);
});
