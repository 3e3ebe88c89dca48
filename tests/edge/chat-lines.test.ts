// Lines of chat after they were said: paged, changed, private, and the same for everybody after a restart.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ClientMessage, RoomEvent } from "../../web/sdk/src/generated/protocol.ts";
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
const ask = (client: Client, message: ClientMessage) => client.socket.send(message);
const told = async <T extends RoomEvent["type"]>(client: Client, type: T) =>
  (await client.socket.next("event", ({ event }) => event.type === type)).event;
const refused = (client: Client, message: ClientMessage) => {
  ask(client, message);
  return client.socket.next("error", ({ of }) => of === message.type);
};
const page = async (client: Client, before: string, limit: number) => {
  ask(client, { type: "chatHistory", before, limit });
  return await client.socket.next("chatPage");
};

test("the history is paged back to the first line, and a restart changes nothing of it", async () => {
  const ada = await world.person("Ada");
  const room = await ada.createRoom();
  const client = await ada.enter(room);
  for (const nonce of ["n1", "n2", "n3"]) await say(client, nonce);
  await world.restart((disk) =>
    disk.room(client.welcome.you, (database) => {
      // Lines as the release before has stored them, and one that cannot be read.
      database.exec(`WITH RECURSIVE count(n) AS (SELECT 4 UNION ALL SELECT n + 1 FROM count WHERE n < 450)
        INSERT INTO chat SELECT n, user, 'n' || n, size, replace(value, 'n3', 'n' || n) FROM count, chat WHERE number = 3`);
      database.exec("UPDATE chat SET value = '{' WHERE number BETWEEN 60 AND 200");
    }),
  );
  const back = await Client.open(world, client.resume(room, 99));
  const shown = back.welcome.snapshot?.chat ?? [];
  expect(shown).toHaveLength(200);
  let pages = 0;
  for (let next: string | null = "251"; next !== null; pages += 1) {
    const earlier = await page(back, next, 999);
    expect(earlier.gone).toBe(false);
    shown.unshift(...earlier.lines);
    next = earlier.next;
  }
  expect(pages).toBe(3);
  const numbers = Array.from({ length: 450 }, (_, index) => index + 1).filter(
    (number) => number < 60 || number > 200,
  );
  expect(shown.map(({ text }) => text)).toEqual(numbers.map((number) => `n${number}`));
  expect(await refused(back, { type: "chatHistory", before: "-1", limit: 5 })).toMatchObject({
    code: "malformed",
  });
  expect(await say(back, "n200")).toBe("200");
  expect(await refused(back, { type: "editChat", id: "200", text: "x" })).toMatchObject({
    code: "unknownLine",
  });
});

test("an edited line says so, and a deleted one leaves its place without its text, on disk too", async () => {
  const [ada, bob] = [await world.person("Ada"), await world.person("Bob")];
  const room = await ada.createRoom();
  const [host, guest] = [await ada.enter(room), await bob.enter(room)];
  await say(guest, "n1", { text: "a secret" });
  await say(host, "n2", { replyTo: "1", mentions: [bob.user.id] });
  expect(await refused(host, { type: "editChat", id: "1", text: "not mine" })).toMatchObject({
    code: "forbidden",
  });
  ask(guest, { type: "editChat", id: "1", text: "another secret" });
  ask(guest, { type: "reactToChat", id: "2", reaction: "heart", on: true });
  for (const client of [host, guest]) {
    expect(await told(client, "chatEdited")).toMatchObject({ id: "1", text: "another secret" });
    expect(await told(client, "chatReacted")).toMatchObject({ id: "2", count: 1, on: true });
  }
  await world.restart();
  const again = await Client.open(world, guest.resume(room, 99));
  expect(again.welcome.snapshot?.chat).toMatchObject([
    { id: "1", text: "another secret", editedAt: expect.any(Number) },
    {
      id: "2",
      replyTo: "1",
      mentions: [{ user: bob.user.id, name: "Bob" }],
      reactions: [{ reaction: "heart", count: 1, mine: true }],
    },
  ]);
  const moderator = await ada.enter(room);
  ask(moderator, { type: "deleteChat", id: "1" });
  expect(await told(again, "chatDeleted")).toMatchObject({ id: "1" });
  await world.restart((disk) =>
    disk.room(moderator.welcome.you, (database) => {
      const tables = ["events", "chat"].map((table) => database.prepare(`SELECT * FROM ${table}`).all());
      expect(JSON.stringify(tables)).not.toContain("secret");
      const kept = database.prepare("SELECT * FROM chat_kept").all();
      const counted = database
        .prepare("SELECT count(*) AS lines, sum(length(value)) AS bytes FROM chat")
        .all();
      expect(kept).toEqual(counted);
    }),
  );
  const last = await ada.enter(room);
  expect(last.welcome.snapshot?.chat).toMatchObject([{ id: "1", text: "", deleted: true }, { id: "2" }]);
});

test("a private line reaches both alone: when it is told, replayed, shown anew and paged", async () => {
  const [ada, bob, eve] = [await world.person("Ada"), await world.person("Bob"), await world.person("Eve")];
  const room = await ada.createRoom();
  const [host, from, to] = [await ada.enter(room), await bob.enter(room), await eve.enter(room)];
  const toNobody = await refused(from, { type: "chat", nonce: "n0", text: "x", to: "nobody" });
  expect(toNobody).toMatchObject({ code: "unknownParticipant", nonce: "n0" });
  await say(from, "n1", { text: "a secret", to: eve.user.id });
  expect(await told(to, "chat")).toMatchObject({ message: { text: "a secret", to: { name: "Eve" } } });
  ask(to, { type: "reactToChat", id: "1", reaction: "wow", on: true });
  await told(from, "chatReacted");
  // All that the host has heard of it is that there was something.
  expect(await told(host, "unseen")).toEqual({ type: "unseen" });
  expect(JSON.stringify(host.socket.pending("event"))).not.toContain("secret");
  expect(await refused(host, { type: "deleteChat", id: "1" })).toMatchObject({ code: "unknownLine" });
  await world.restart();
  const replayed = await Client.open(world, host.resume(room, host.welcome.seq));
  await told(replayed, "unseen");
  const pages = [await page(replayed, "2", 5), await page(await eve.enter(room), "2", 5)];
  expect(pages.map(({ lines }) => lines.length)).toEqual([0, 1]);
  expect(JSON.stringify(replayed.socket.pending("event"))).not.toContain("secret");
  expect((await ada.enter(room)).welcome.snapshot?.chat).toEqual([]);
  expect((await bob.enter(room)).welcome.snapshot?.chat).toHaveLength(1);
});

test("that somebody types is told the others, and no more", async () => {
  const [ada, bob] = [await world.person("Ada"), await world.person("Bob")];
  const room = await ada.createRoom();
  const [first, second] = [await ada.enter(room), await bob.enter(room)];
  ask(second, { type: "typing" });
  expect(await first.socket.next("typing")).toMatchObject({ participant: second.welcome.you });
  await say(second, "n1");
  expect(second.socket.pending("typing")).toEqual([]);
});
