// Moderation: what the owner decides reaches the node, and who is removed is out.
import { afterAll, beforeAll, expect, test } from "vitest";
import { FakeNode } from "./fake-node.ts";
import { Client, World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

const MUTED = { audio: false, video: true, screen: true, maxLayer: 1, maxBitrate: 500_000 };

async function call() {
  const [ada, bob] = await Promise.all([world.person("Ada"), world.person("Bob")]);
  const room = await ada.createRoom();
  const node = await FakeNode.register(world, "eu-1", "eu-west");
  const owner = await ada.enter(room);
  const link = await node.openRoom();
  await link.socket.next("plan");
  const guest = await bob.enter(room);
  guest.socket.send({ type: "offer", attempt: 1, sdp: "v=0", sources: [] });
  const { participant } = await link.socket.next("offer");
  link.socket.send({ type: "answer", participant, attempt: 1, sdp: "v=0 answer" });
  await guest.socket.next("answer");
  return { bob, room, node, owner, link, guest, participant };
}

test("caps reach the node and everybody, and stay with whoever comes back", async () => {
  const { bob, room, node, owner, link, guest, participant } = await call();
  guest.socket.send({ type: "setCaps", participant, caps: MUTED });
  expect(await guest.socket.next("error")).toMatchObject({ code: "forbidden" });
  owner.socket.send({ type: "setCaps", participant: "nobody", caps: MUTED });
  expect(await owner.socket.next("error")).toMatchObject({ code: "unknownParticipant" });
  owner.socket.send({ type: "setCaps", participant, caps: MUTED });
  expect(await link.socket.next("caps")).toMatchObject({ participant, caps: MUTED });
  for (const client of [owner, guest]) {
    const { event } = await client.socket.next("event", ({ event }) => event.type === "caps");
    expect(event).toMatchObject({ participant, caps: MUTED });
  }
  guest.socket.send({ type: "leave" });
  await guest.socket.closed;
  const back = await bob.enter(room);
  const own = back.welcome.snapshot?.participants.find(({ id }) => id === back.welcome.you);
  expect(own?.caps).toEqual(MUTED);
  back.socket.send({ type: "offer", attempt: 1, sdp: "v=0", sources: [] });
  expect(await link.socket.next("offer")).toMatchObject({ participant: back.welcome.you, caps: MUTED });
  node.die();
});

test("who is removed loses the session, the token and the way back", async () => {
  const { bob, room, node, owner, link, guest, participant } = await call();
  owner.socket.send({ type: "remove", participant });
  expect(await link.socket.next("close")).toMatchObject({ participant, attempt: 1 });
  expect(await guest.socket.next("closed")).toMatchObject({ reason: "removed" });
  await guest.socket.closed;
  const { event } = await owner.socket.next("event", ({ event }) => event.type === "left");
  expect(event).toMatchObject({ participant, reason: "removed" });
  await expect(Client.open(world, guest.resume(room, guest.welcome.seq))).rejects.toThrow();
  await world.restart();
  const refused = await bob.call(`/api/rooms/${room.id}/join`, { body: {} });
  expect(refused).toMatchObject({
    status: 403,
    body: { type: "/problems/removed", detail: expect.stringContaining("10 min") },
  });
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(590);
  node.die();
});

test("everybody is told how everybody's media travels", async () => {
  const { node, owner, link, participant } = await call();
  const path = { loss: 0.25, jitterMs: 3, bitrate: 30_000 };
  const quality = { roundTripMs: 40, up: path, down: path, estimate: 900_000, score: 4 };
  link.socket.send({ type: "quality", participants: [{ participant, quality }] });
  expect(await owner.socket.next("quality")).toMatchObject({ participants: [{ participant, quality }] });
  node.die();
});
