// How long a room keeps its chat, and how its host takes it along.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ChatExport } from "../../web/sdk/src/generated/protocol.ts";
import { Client, World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

const say = async (client: Client, nonce: string, more: object = {}) => {
  client.socket.send({ type: "chat", nonce, text: nonce, ...more });
  return (await client.socket.next("chatAccepted", (accepted) => accepted.nonce === nonce)).id;
};
const page = async (client: Client, before: string) => {
  client.socket.send({ type: "chatHistory", before, limit: 100 });
  return await client.socket.next("chatPage");
};

test("a room keeps so many lines for so many days, and says that the oldest have gone", async () => {
  const ada = await world.person("Ada");
  const room = await ada.createRoom();
  const client = await ada.enter(room);
  for (let line = 1; line <= 5; line += 1) await say(client, `n${line}`);
  client.socket.send({ type: "configure", change: { chatLines: 3, chatDays: 0 } });
  const { event } = await client.socket.next("event", ({ event }) => event.type === "settings");
  expect(event).toMatchObject({ settings: { chatLines: 3, chatDays: 1 } });
  expect(await page(client, "6")).toMatchObject({
    lines: [{ id: "3" }, { id: "4" }, { id: "5" }],
    gone: true,
  });
  expect(await say(client, "n6")).toBe("6");
  await world.restart((disk) =>
    disk.room(client.welcome.you, (database) => {
      const { oldest } = database.prepare("SELECT min(number) AS oldest FROM chat").get() ?? {};
      expect(oldest).toBe(4);
      // Of these, all but the last were said two days ago.
      const before = Date.now() - 2 * 86_400_000;
      database.exec(`UPDATE chat SET value = json_set(value, '$.sentAt', ${before}) WHERE number < 6`);
    }),
  );
  const back = await Client.open(world, client.resume(room, 999));
  expect(back.welcome.snapshot?.chat).toMatchObject([{ id: "6" }]);
  expect(await page(back, "6")).toMatchObject({ lines: [], next: null, gone: true });
  await world.restart((disk) =>
    disk.room(client.welcome.you, (database) => {
      expect(database.prepare("SELECT number FROM chat").all()).toEqual([{ number: 6 }]);
      expect(database.prepare("SELECT lines FROM chat_kept").all()).toEqual([{ lines: 1 }]);
    }),
  );
});

test("the host takes the chat along part by part, without what is between others", async () => {
  const [ada, bob] = [await world.person("Ada"), await world.person("Bob")];
  const eve = await world.person("Eve");
  const room = await ada.createRoom();
  const path = `/api/rooms/${room.id}/chat/export`;
  expect((await ada.call<ChatExport>(path)).body).toEqual({ lines: [], next: null });
  const [host, from] = [await ada.enter(room), await bob.enter(room)];
  await eve.enter(room);
  await say(from, "n1");
  await say(from, "secret", { to: eve.user.id });
  await say(from, "to the host", { to: ada.user.id });
  await world.restart((disk) =>
    disk.room(host.welcome.you, (database) => {
      database.exec(`WITH RECURSIVE count(n) AS (SELECT 4 UNION ALL SELECT n + 1 FROM count WHERE n < 600)
        INSERT INTO chat SELECT n, user, 'n' || n, size, replace(value, 'n1', 'n' || n) FROM count, chat WHERE number = 1`);
    }),
  );
  const first = (await ada.call<ChatExport>(path)).body;
  const second = (await ada.call<ChatExport>(`${path}?after=${first.next}`)).body;
  expect([first.next, second.next]).toEqual(["500", null]);
  const texts = [...first.lines, ...second.lines].map(({ text }) => text);
  expect(texts).toHaveLength(599);
  expect(texts.slice(0, 3)).toEqual(["n1", "to the host", "n4"]);
  expect((await bob.call(path)).status).toBe(403);
  expect((await world.call(path)).status).toBe(401);
  expect((await ada.call(`${path}?after=x`)).status).toBe(400);
  expect((await ada.call("/api/rooms/none/chat/export")).status).toBe(404);
  const statuses = await Promise.all(Array.from({ length: 30 }, async () => (await ada.call(path)).status));
  expect(statuses).toContain(429);
});
