// Read marks: told one's other devices and nobody else, known when one comes back, over a restart and without an account too.
import { afterAll, beforeAll, expect, test } from "vitest";
import { Client, World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

test("an account's mark goes with it from device to device, and over a restart", async () => {
  const [ada, bob] = await Promise.all([world.person("Ada"), world.person("Bob")]);
  const room = await ada.createRoom();
  const [desk, phone, other] = [await ada.enter(room), await ada.enter(room), await bob.enter(room)];
  for (const nonce of ["1", "2", "3"]) {
    other.socket.send({ type: "chat", nonce, text: nonce });
    await other.socket.next("chatAccepted");
  }
  desk.socket.send({ type: "readChat", id: "2" });
  expect(await phone.socket.next("chatRead")).toMatchObject({ id: "2" });
  // Back is nowhere to go, and a line that is not there was not read.
  phone.socket.send({ type: "readChat", id: "1" });
  phone.socket.send({ type: "readChat", id: "4" });
  expect(await phone.socket.next("error")).toMatchObject({ code: "unknownLine", of: "readChat" });
  expect(desk.socket.pending("chatRead")).toEqual([]);

  await world.restart();
  const back = await Client.open(world, phone.resume(room, phone.welcome.seq));
  expect(await back.socket.next("chatRead")).toMatchObject({ id: "2" });
  const anew = await ada.enter(room);
  expect(await anew.socket.next("chatRead")).toMatchObject({ id: "2" });
  anew.socket.send({ type: "readChat", id: "3" });
  expect(await back.socket.next("chatRead")).toMatchObject({ id: "3" });

  const bobBack = await Client.open(world, other.resume(room, other.welcome.seq));
  bobBack.socket.send({ type: "readChat", id: "1" });
  bobBack.socket.send({ type: "chatHistory", before: "2", limit: 1 });
  await bobBack.socket.next("chatPage");
  for (const socket of [bobBack.socket, back.socket, anew.socket])
    expect(socket.pending("chatRead")).toEqual([]);
});

test("a guest's mark is taken and not kept, and one at the door has none", async () => {
  const ada = await world.person("Ada");
  const room = await ada.createRoom();
  const host = await ada.enter(room);
  host.socket.send({ type: "chat", nonce: "1", text: "hello" });
  await host.socket.next("chatAccepted");
  const guest = await world.guest(room, "Guest");
  const first = await guest.enter(room);
  first.socket.send({ type: "readChat", id: "1" });
  first.socket.send({ type: "chatHistory", before: "2", limit: 1 });
  await first.socket.next("chatPage");
  const second = await guest.enter(room);
  second.socket.send({ type: "chatHistory", before: "2", limit: 1 });
  await second.socket.next("chatPage");
  for (const { socket } of [first, second]) {
    expect(socket.pending("chatRead")).toEqual([]);
    expect(socket.pending("error")).toEqual([]);
  }
});
