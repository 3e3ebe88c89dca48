// Reconnecting: tickets and resume tokens admit until what followed them has arrived, and what was missed is replayed.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RoomDetails } from "../../web/sdk/src/generated/protocol.ts";
import { Socket } from "./socket.ts";
import { Client, World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

test("a ticket admits into its room alone", async () => {
  const ada = await world.person("Ada");
  const room = await ada.createRoom();
  await expect(Client.open(world, `/api/rooms/${room.id}/ws?ticket=guess`)).rejects.toThrow("refused");
  await expect(Client.open(world, `/api/rooms/${room.id}/ws`)).rejects.toThrow("refused");
  const elsewhere = await ada.createRoom();
  const foreign = (await ada.join(room)).url.replace(room.id, elsewhere.id);
  await expect(Client.open(world, foreign)).rejects.toThrow("refused");
});

test("a ticket whose welcome was lost admits again, as the same participant", async () => {
  const ada = await world.person("Ada");
  const room = await ada.createRoom();
  const { url, participant } = await ada.join(room);
  (await Socket.open(world.url + url)).close();
  const client = await Client.open(world, url);
  expect(client.welcome.you).toBe(participant);
  expect(client.welcome.snapshot?.participants).toHaveLength(1);
  await Client.open(world, client.resume(room, client.welcome.seq));
  await expect(Client.open(world, url)).rejects.toThrow("refused");
});

test("a resumption that breaks before its welcome burns nothing", async () => {
  const [ada, bob] = await Promise.all([world.person("Ada"), world.person("Bob")]);
  const room = await ada.createRoom();
  const first = await ada.enter(room);
  const second = await bob.enter(room);
  const address = second.resume(room, second.welcome.seq);
  for (let i = 0; i < 3; i++) (await Socket.open(world.url + address)).close();
  const back = await Client.open(world, address);
  expect(back.welcome.you).toBe(second.welcome.you);
  // What it says shows that it has its welcome.
  back.socket.send({ type: "chat", nonce: "n", text: "I am back" });
  await back.socket.next("chatAccepted");
  await expect(Client.open(world, address)).rejects.toThrow("refused");
  const { people } = (await ada.call<RoomDetails>(`/api/rooms/${room.id}`)).body;
  expect(people).toBe(2);
  expect(
    first.socket.pending("event").filter((message) => "event" in message && message.event.type === "left"),
  ).toEqual([]);
});

test("whoever comes back gets every event missed, once, in order", async () => {
  const [ada, bob] = await Promise.all([world.person("Ada"), world.person("Bob")]);
  const room = await ada.createRoom();
  const first = await ada.enter(room);
  const second = await bob.enter(room);
  const since = second.welcome.seq;
  second.socket.close();
  await second.socket.closed;
  for (let i = 0; i < 5; i++) {
    first.socket.send({ type: "chat", nonce: `n${i}`, text: `line ${i}` });
    await first.socket.next("chatAccepted");
  }
  const back = await Client.open(world, second.resume(room, since));
  expect(back.welcome).toMatchObject({ you: second.welcome.you, seq: since, snapshot: null });
  for (let i = 0; i < 5; i++) {
    const { seq, event } = await back.socket.next("event");
    expect(seq).toBe(since + 1 + i);
    expect(event).toMatchObject({ type: "chat", message: { text: `line ${i}` } });
  }
  // Nobody saw Bob go.
  expect(
    first.socket.pending("event").filter((message) => "event" in message && message.event.type === "left"),
  ).toEqual([]);
  const taken = await Client.open(world, back.resume(room, since + 5));
  expect(await back.socket.next("closed")).toEqual({ type: "closed", reason: "replaced" });
  taken.socket.send({ type: "leave" });
  await taken.socket.next("closed");
});

test("whoever was away for longer than the log remembers gets the whole state", async () => {
  const ada = await world.person("Ada");
  const room = await ada.createRoom();
  const client = await ada.enter(room);
  const back = await Client.open(world, client.resume(room, 999));
  expect(back.welcome.snapshot?.participants).toHaveLength(1);
});
