// A restart of everything: nothing that was acknowledged is lost.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RoomList, Session } from "../../web/sdk/src/generated/protocol.ts";
import { FakeNode } from "./fake-node.ts";
import { Client, World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

test("accounts, tokens, rooms, people, chat and placement survive", async () => {
  const ada = await world.person("Ada");
  const login = await world.call<Session>("/api/auth/login", {
    body: { email: ada.email, password: "password123" },
  });
  const cookie = login.headers.get("set-cookie")?.split(";")[0] ?? "";
  const room = await ada.createRoom("Lasting");
  const unused = await ada.join(room);
  const node = await FakeNode.register(world, "eu-1", "eu-west");
  const client = await ada.enter(room);
  const link = await node.openRoom();
  client.socket.send({ type: "offer", attempt: 1, sdp: "v=0", sources: [] });
  const { participant } = await link.socket.next("offer");
  link.socket.send({ type: "answer", participant, attempt: 1, sdp: "v=0 answer" });
  await client.socket.next("answer");
  client.socket.send({ type: "chat", nonce: "n1", text: "before" });
  await client.socket.next("chatAccepted");

  node.die();
  await world.restart();

  expect((await ada.call("/api/auth/me")).status).toBe(200);
  const body = { email: ada.email, password: "password123" };
  expect((await world.call("/api/auth/login", { body })).status).toBe(200);
  expect((await world.call("/api/auth/refresh", { method: "POST", headers: { cookie } })).status).toBe(200);
  expect((await ada.call<RoomList>("/api/rooms")).body.rooms).toMatchObject([
    { id: room.id, name: "Lasting" },
  ]);

  // The node comes back with its room under the old epoch; nobody negotiates anew.
  const again = await FakeNode.register(world, "eu-1", "eu-west");
  const held = [{ participant, attempt: 1 }];
  const relink = await again.link(room.id, link.epoch, held);
  await relink.socket.next("plan");
  const back = await Client.open(world, client.resume(room, client.welcome.seq));
  expect(back.welcome.you).toBe(client.welcome.you);
  const missed = await back.socket.next("event", ({ event }) => event.type === "chat");
  expect(missed.event).toMatchObject({ message: { text: "before" } });
  expect(back.socket.pending("renegotiate")).toEqual([]);
  // The same line again is the same line.
  back.socket.send({ type: "chat", nonce: "n1", text: "before" });
  expect(await back.socket.next("chatAccepted")).toMatchObject({ nonce: "n1", id: "1" });

  const newcomer = await Client.open(world, unused.url);
  expect(newcomer.welcome.snapshot?.chat.map((line) => line.text)).toEqual(["before"]);
  expect(newcomer.welcome.snapshot?.participants).toHaveLength(2);
  again.die();
});
