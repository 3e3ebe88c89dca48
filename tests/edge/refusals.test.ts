// Refusals on the WebSocket: each says what it refuses and when to come again, and who does not listen is sent away.
import { afterAll, beforeAll, expect, test } from "vitest";
import { Client, World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

test("of ninety lines sent at once each is answered, and the refused are taken when their time has come", async () => {
  const ada = await world.person("Ada");
  const room = await ada.createRoom();
  const client = await ada.enter(room);
  const waiting = new Set(Array.from({ length: 90 }, (_, i) => `n${i}`));
  const chat = (nonce: string) => client.socket.send({ type: "chat", nonce, text: `line ${nonce}` });
  for (const nonce of waiting) chat(nonce);
  const repeat = async () => {
    for (;;) {
      const { nonce, retryAfterMs, ...refusal } = await client.socket.next("error");
      expect(refusal).toMatchObject({ code: "rateLimited", of: "chat" });
      setTimeout(() => chat(nonce ?? ""), retryAfterMs ?? 0);
    }
  };
  repeat().catch(() => {}); // Ends when nothing more is refused.
  while (waiting.size > 0) waiting.delete((await client.socket.next("chatAccepted")).nonce);
  client.socket.close();
  expect((await ada.enter(room)).welcome.snapshot?.chat).toHaveLength(90);
});

test("a flooder is told how long to stay away, cut off, and not let in before", async () => {
  const [ada, bob] = [await world.person("Ada"), await world.person("Bob")];
  const room = await ada.createRoom();
  const [flooder, other] = [await ada.enter(room), await bob.enter(room)];
  const text = "x".repeat(4_000);
  for (let i = 0; i < 400; i++) flooder.socket.send({ type: "chat", nonce: `n${i}`, text });
  expect(await flooder.socket.next("wait")).toEqual({ type: "wait", ms: 10_000 });
  expect(await flooder.socket.closed).toBe(4429);
  await expect(Client.open(world, flooder.resume(room, 0))).rejects.toThrow("refused");
  other.socket.send({ type: "chat", nonce: "n", text: "quiet again" });
  await other.socket.next("chatAccepted");
  const stored = (await bob.enter(room)).welcome.snapshot?.chat ?? [];
  expect(stored.length).toBeLessThan(60);
});
