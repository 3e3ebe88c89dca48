// Chat: stored once, shown to everybody, kept for newcomers.
import { afterAll, beforeAll, expect, test } from "vitest";
import { World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

test("a line sent twice is stored once", async () => {
  const [ada, bob] = await Promise.all([world.person("Ada"), world.person("Bob")]);
  const room = await ada.createRoom();
  const [first, second] = [await ada.enter(room), await bob.enter(room)];
  const text = "<b>hello</b> & 你好\n";
  for (let i = 0; i < 2; i++) first.socket.send({ type: "chat", nonce: "n1", text });
  const accepted = [await first.socket.next("chatAccepted"), await first.socket.next("chatAccepted")];
  expect(accepted[0]).toEqual(accepted[1]);
  first.socket.send({ type: "chat", nonce: "n2", text: "bye" });
  await first.socket.next("chatAccepted");
  const lines = [];
  for (let i = 0; i < 2; i++) lines.push((await second.socket.next("event")).event);
  expect(lines).toMatchObject([
    { type: "chat", message: { text, name: "Ada", participant: first.welcome.you } },
    { type: "chat", message: { text: "bye" } },
  ]);
  const third = await bob.enter(room);
  expect(third.welcome.snapshot?.chat.map((line) => line.text)).toEqual([text, "bye"]);
});

test("a line that cannot be stored is refused by its nonce", async () => {
  const ada = await world.person("Ada");
  const client = await ada.enter(await ada.createRoom());
  client.socket.send({ type: "chat", nonce: "empty", text: "  " });
  expect(await client.socket.next("error")).toMatchObject({ code: "malformed", nonce: "empty" });
});
