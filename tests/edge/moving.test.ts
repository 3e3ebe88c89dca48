// Moving a call: the pages and devices of one person, and the one where the call goes on.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RoomDetails, ServerMessage } from "../../web/sdk/src/generated/protocol.ts";
import { Socket } from "./socket.ts";
import { Client, type Person, World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

async function setting() {
  const [ada, bob] = await Promise.all([world.person("Ada"), world.person("Bob")]);
  const room = await ada.createRoom();
  const details = async (person: Person) => (await person.call<RoomDetails>(`/api/rooms/${room.id}`)).body;
  return { ada, bob, room, details };
}

test("a room says in how many places one is, and two at once are allowed", async () => {
  const { ada, bob, room, details } = await setting();
  await ada.join(room);
  expect(await details(ada)).toEqual({ ...room, people: 0, yours: 0, watches: false });
  const [first] = await Promise.all([ada.enter(room), ada.enter(room)]);
  expect(await details(ada)).toEqual({ ...room, people: 2, yours: 2, watches: false });
  expect(await details(bob)).toMatchObject({ people: 2, yours: 0 });
  expect(first.socket.pending("closed")).toEqual([]);
});

test("a call that moves within the room ends elsewhere, and nobody else's does", async () => {
  const { ada, bob, room, details } = await setting();
  const other = await bob.enter(room);
  const first = await ada.enter(room);
  const second = await ada.enter(room);
  second.socket.send({ type: "moveHere" });
  expect(await first.socket.next("closed")).toEqual({ type: "closed", reason: "moved" });
  const { event } = await other.socket.next("event", ({ event }) => event.type === "left");
  expect(event).toEqual({ type: "left", participant: first.welcome.you, reason: "moved" });
  // Also a page that has slept meanwhile is told, and does not come back as somebody else.
  const slept = await Socket.open<ServerMessage>(world.url + first.resume(room, first.welcome.seq));
  expect(await slept.next("closed")).toEqual({ type: "closed", reason: "moved" });
  expect(await details(ada)).toMatchObject({ people: 2, yours: 1 });
});

test("a join moves the call once its WebSocket is open", async () => {
  const { ada, room, details } = await setting();
  const first = await ada.enter(room);
  const { url } = await ada.join(room, { moveHere: true });
  expect(await details(ada)).toMatchObject({ yours: 1 });
  expect(first.socket.pending("closed")).toEqual([]);
  const second = await Client.open(world, url);
  expect(await first.socket.next("closed")).toMatchObject({ reason: "moved" });
  expect(second.welcome.snapshot?.participants.map(({ id }) => id)).toEqual([second.welcome.you]);
  expect(await details(ada)).toMatchObject({ people: 1, yours: 1 });
});

test("over a restart a call that has moved stays there, and a move that was asked for with the join happens", async () => {
  const { ada, room, details } = await setting();
  const first = await ada.enter(room);
  const second = await ada.enter(room);
  second.socket.send({ type: "moveHere" });
  await first.socket.next("closed");
  const { url } = await ada.join(room, { moveHere: true });
  await world.restart();
  const slept = await Socket.open<ServerMessage>(world.url + first.resume(room, first.welcome.seq));
  expect(await slept.next("closed")).toEqual({ type: "closed", reason: "moved" });
  const back = await Client.open(world, second.resume(room, second.welcome.seq));
  const third = await Client.open(world, url);
  expect(await back.socket.next("closed")).toMatchObject({ reason: "moved" });
  expect(third.welcome.snapshot?.participants.map(({ id }) => id)).toEqual([third.welcome.you]);
  expect(await details(ada)).toMatchObject({ people: 1, yours: 1 });
});
