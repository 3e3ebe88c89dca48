// A page that is loaded anew is the same participant, over a restart too; a page that is closed is soon gone.
import { afterAll, beforeAll, expect, test } from "vitest";
import { Client, World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

async function call() {
  const [ada, bob] = await Promise.all([world.person("Ada"), world.person("Bob")]);
  const room = await ada.createRoom();
  const host = await ada.enter(room);
  const other = await bob.enter(room);
  return { room, host, other };
}

const isOf = (id: string) => (message: { event: object }) =>
  "participant" in message.event && message.event.participant === id;

test("who loads the page anew is the same participant and the host, and nobody is told of a leaving", async () => {
  const { room, host, other } = await call();
  const { you } = host.welcome;
  host.socket.send({ type: "pageGone" });
  const away = await other.socket.next("event", isOf(you));
  expect(away.event).toEqual({ type: "connection", participant: you, connection: "reconnecting" });
  const path = host.resume(room, 0).replace(/&since=\d+/, "");
  const back = await Client.open(world, path);
  expect(back.welcome.you).toBe(you);
  const people = back.welcome.snapshot?.participants.map(({ id, role }) => [id, role]);
  expect(people).toEqual([
    [you, "host"],
    [other.welcome.you, "speaker"],
  ]);
  const again = await other.socket.next("event", isOf(you));
  expect(again.event).toEqual({ type: "connection", participant: you, connection: "connected" });
});

test("a page that is closed has left after a short wait, also over a restart of the room", async () => {
  const { room, host, other } = await call();
  const { you } = host.welcome;
  host.socket.send({ type: "pageGone" });
  await other.socket.next("event", isOf(you));
  await world.restart();
  const watcher = await Client.open(world, other.resume(room, other.welcome.seq));
  const left = await watcher.socket.next("event", ({ event }) => event.type === "left");
  expect(left.event).toEqual({ type: "left", participant: you, reason: "left" });
}, 40_000);
