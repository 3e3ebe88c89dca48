// The lobby: who waits is told nothing, is let in over the same WebSocket or refused, and waits on over a restart.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Room, ServerMessage } from "../../web/sdk/src/generated/protocol.ts";
import { FakeNode } from "./fake-node.ts";
import { Socket } from "./socket.ts";
import { Client, type Guest, type Person, World } from "./world.ts";

let world: World;
let ada: Person;
beforeAll(async () => {
  world = await World.start();
  ada = await world.person("Ada");
});
afterAll(() => world.stop());

/** Somebody's WebSocket at the door. */
async function knock(person: Person | Guest, room: Room, body: object = {}) {
  const { url, participant } = await person.join(room, body);
  const socket = await Socket.open<ServerMessage>(world.url + url);
  const { resumeToken, you } = await socket.next("waiting");
  expect(you).toBe(participant);
  return { socket, you, resume: `/api/rooms/${room.id}/ws?resume=${resumeToken}&since=0` };
}

test("who waits hears nothing, and goes in over the same WebSocket", async () => {
  const room = await ada.createRoom("Practice", { lobby: true });
  const node = await FakeNode.register(world, "eu-1", "eu-west");
  const host = await ada.enter(room);
  const link = await node.openRoom();
  await link.socket.next("plan");
  const gil = await world.guest(room, "Gil");
  const offer = { attempt: 1, sdp: "v=0 early", sources: [] };
  const { socket, you } = await knock(gil, room, { offer });
  const { people } = await host.socket.next("knocking", ({ people }) => people.length > 0);
  expect(people).toMatchObject([{ participant: you, name: "Gil", guest: true }]);
  socket.send({ type: "offer", attempt: 2, sdp: "v=0 late", sources: [] });
  socket.send({ type: "chat", nonce: "g", text: "let me in" });
  host.socket.send({ type: "chat", nonce: "n1", text: "among us" });
  await host.socket.next("chatAccepted");
  socket.send({ type: "admit", participant: null });
  // Whatever was said before the pong had been heard.
  socket.send("ping");
  await socket.next("pong" as "closed");
  expect(["event", "answer", "error", "welcome"].flatMap((type) => socket.pending(type as "event"))).toEqual(
    [],
  );

  host.socket.send({ type: "admit", participant: you });
  const welcome = await socket.next("welcome");
  expect(welcome).toMatchObject({ you, snapshot: { chat: [{ text: "among us" }] } });
  expect(welcome.snapshot?.participants.map(({ name }) => name)).toEqual(["Ada", "Gil"]);
  const joined = await host.socket.next("event", ({ event }) => event.type === "joined");
  expect(joined.event).toMatchObject({ participant: { id: you } });
  expect(await host.socket.next("knocking", ({ people }) => people.length === 0)).toBeTruthy();
  // No offer was passed on; a new one is asked for, and goes its way.
  expect(await socket.next("renegotiate")).toMatchObject({ attempt: 2 });
  socket.send({ type: "offer", attempt: 3, sdp: "v=0", sources: [] });
  expect(await link.socket.next("offer")).toMatchObject({ participant: you, attempt: 3 });
  host.socket.send({ type: "chat", nonce: "n2", text: "welcome" });
  await socket.next("event", ({ event }) => event.type === "chat");
  // The token of the welcome is the one that counts.
  const again = await Client.open(
    world,
    `/api/rooms/${room.id}/ws?resume=${welcome.resumeToken}&since=${welcome.seq}`,
  );
  expect(again.welcome.you).toBe(you);
  node.die();
});

test("waiting goes on over a restart, and who was let in meanwhile goes in", async () => {
  const room = await ada.createRoom("Practice", { lobby: true });
  const host = await ada.enter(room);
  const [ben, cy] = [await world.person("Ben"), await world.person("Cy")];
  const [first, second] = [await knock(ben, room), await knock(cy, room)];
  await world.restart();
  const socket = await Socket.open<ServerMessage>(world.url + first.resume);
  expect(await socket.next("waiting")).toMatchObject({ you: first.you });
  const back = await Client.open(world, host.resume(room, host.welcome.seq));
  const { people } = await back.socket.next("knocking");
  expect(people.map(({ name }) => name)).toEqual(["Ben", "Cy"]);
  back.socket.send({ type: "admit", participant: null });
  expect(await socket.next("welcome")).toMatchObject({ you: first.you });
  // Cy was not there just then.
  const late = await Client.open(world, second.resume);
  expect(late.welcome.you).toBe(second.you);
  expect(late.welcome.snapshot?.participants).toHaveLength(3);
});

test("who is refused is told so, and may knock again; who leaves knocks no more", async () => {
  const room = await ada.createRoom("Practice", { lobby: true });
  const host = await ada.enter(room);
  const ben = await world.person("Ben");
  const first = await knock(ben, room);
  host.socket.send({ type: "refuse", participant: first.you });
  expect(await first.socket.next("closed")).toMatchObject({ reason: "refused" });
  await expect(Socket.open(world.url + first.resume)).rejects.toThrow("refused");
  const second = await knock(ben, room);
  host.socket.send({ type: "refuse", participant: "nobody" });
  expect(await host.socket.next("error", ({ of }) => of === "refuse")).toMatchObject({
    code: "unknownParticipant",
  });
  await host.socket.next("knocking", ({ people }) => people[0]?.participant === second.you);
  second.socket.send({ type: "leave" });
  await host.socket.next("knocking", ({ people }) => people.length === 0);
  // Nobody waits at an open door.
  const third = await knock(ben, room);
  host.socket.send({ type: "configure", change: { lobby: false } });
  expect(await third.socket.next("welcome")).toMatchObject({ you: third.you });
});
