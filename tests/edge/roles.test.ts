// Roles: a webinar's viewers send nothing, are brought on stage and back, and a restart changes nobody.
import { afterAll, beforeAll, expect, test } from "vitest";
import { FakeNode } from "./fake-node.ts";
import { World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

const HUSHED = { audio: false, video: false, screen: false };

test("a viewer is brought on stage and back without coming anew", async () => {
  const [ada, bob] = await Promise.all([world.person("Ada"), world.person("Bob")]);
  const room = await ada.createRoom("Talk", { kind: "webinar" });
  const node = await FakeNode.register(world, "eu-1", "eu-west");
  const host = await ada.enter(room);
  const link = await node.openRoom();
  await link.socket.next("plan");
  const viewer = await bob.enter(room);
  expect(viewer.welcome.snapshot?.settings).toMatchObject({ kind: "webinar", chat: "everybody" });
  const own = viewer.welcome.snapshot?.participants.find(({ id }) => id === viewer.welcome.you);
  expect(own).toMatchObject({ role: "viewer", caps: HUSHED });
  viewer.socket.send({ type: "offer", attempt: 1, sdp: "v=0", sources: [] });
  const { participant, caps } = await link.socket.next("offer");
  expect(caps).toMatchObject(HUSHED);
  link.socket.send({ type: "answer", participant, attempt: 1, sdp: "v=0 answer" });
  viewer.socket.send({ type: "setRole", participant, role: "speaker" });
  expect(await viewer.socket.next("error")).toMatchObject({ code: "forbidden", of: "setRole" });
  host.socket.send({ type: "setRole", participant, role: "speaker" });
  expect(await link.socket.next("caps")).toMatchObject({ participant, caps: { audio: true, video: true } });
  await viewer.socket.next("event", ({ event }) => event.type === "role" && event.role === "speaker");
  await world.restart();
  const back = await bob.enter(room);
  const after = back.welcome.snapshot?.participants.find(({ id }) => id === back.welcome.you);
  expect(after).toMatchObject({ role: "speaker" });
  node.die();
});
