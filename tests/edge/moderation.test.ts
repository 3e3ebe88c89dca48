// Moderation: what is ruled reaches the node, and who is removed is out.
import { afterAll, beforeAll, expect, test } from "vitest";
import { FakeNode } from "./fake-node.ts";
import { Client, World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

const MUTED = { audio: false, video: true, screen: true, captions: false, maxLayer: 1, maxBitrate: 500_000 };

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

test("who is turned off softly hears of it, also after a restart; who is asked to unmute may", async () => {
  const { room, node, owner, link, guest, participant } = await call();
  const { you } = owner.welcome;
  const publishing = { microphone: true, camera: false, screen: false };
  guest.socket.send({ type: "publishing", publishing });
  await owner.socket.next("event", ({ event }) => event.type === "publishing");
  guest.socket.send({ type: "turnOff", participant: you, source: "microphone" });
  expect(await guest.socket.next("error")).toMatchObject({ code: "forbidden", of: "turnOff" });
  guest.socket.send({ type: "muteAll", mute: "hard" });
  expect(await guest.socket.next("error")).toMatchObject({ code: "forbidden", of: "muteAll" });
  owner.socket.send({ type: "turnOff", participant, source: "toaster" });
  expect(await owner.socket.next("error")).toMatchObject({ code: "malformed", of: "turnOff" });
  owner.socket.send({ type: "turnOff", participant, source: "microphone" });
  const { seq } = await owner.socket.next("event", ({ event }) => event.type === "turnedOff");
  await world.restart();
  const again = await Client.open(world, guest.resume(room, seq - 1));
  const { event } = await again.socket.next("event", ({ event }) => event.type === "turnedOff");
  expect(event).toEqual({ type: "turnedOff", participants: [participant], source: "microphone", by: you });
  const host = await Client.open(world, owner.resume(room, seq));
  host.socket.send({ type: "muteAll", mute: "hard" });
  await again.socket.next("event", ({ event }) => event.type === "caps" && !event.caps.audio);
  host.socket.send({ type: "askToUnmute", participant });
  await again.socket.next("event", ({ event }) => event.type === "caps" && event.caps.audio);
  for (const { socket } of [again, host])
    expect(await socket.next("askedToUnmute")).toMatchObject({ participant, by: you });
  host.socket.send({ type: "askToUnmute", participant: "nobody" });
  expect(await host.socket.next("error")).toMatchObject({ code: "unknownParticipant", of: "askToUnmute" });
  expect(link).toBeDefined();
  node.die();
});
