// A region that has just restarted does not know its nodes: nobody is sent to another continent because of that.
import { beforeEach, expect, test } from "vitest";
import { register, world } from "./each-world.ts";

beforeEach(async () => {
  const nodes = [await register("eu-1", "eu-west"), await register("us-1", "us-east")];
  // Nobody says good-bye.
  for (const node of nodes) clearInterval(node.beat);
  await world.restart();
});

test("a room waits for the nodes of the region that should serve", async () => {
  const us = await register("us-1", "us-east");
  const ada = await world.person("Ada");
  const client = await ada.enter(await ada.createRoom(), { region: "eu-west" });
  const eu = await register("eu-1", "eu-west");
  await eu.openRoom();
  const { event } = await client.socket.next("event", ({ event }) => event.type === "placed");
  expect(event).toMatchObject({ region: "eu-west" });
  expect(us.control.pending("openRoom")).toEqual([]);
  expect(client.socket.pending("error")).toEqual([]);
});

test("it does not wait for ever, and the next session goes home", async () => {
  const us = await register("us-1", "us-east");
  const ada = await world.person("Ada");
  const client = await ada.enter(await ada.createRoom(), { region: "eu-west" });
  const offer = (attempt: number) => client.socket.send({ type: "offer", attempt, sdp: "v=0", sources: [] });
  offer(1);
  const far = await us.openRoom();
  await far.socket.next("offer");
  const eu = await register("eu-1", "eu-west");
  far.socket.send({ type: "disconnected", participant: client.welcome.you, attempt: 1 });
  await client.socket.next("renegotiate");
  offer(2);
  const home = await eu.openRoom();
  expect(await home.socket.next("offer")).toMatchObject({ attempt: 2 });
});
