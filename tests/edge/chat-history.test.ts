// Stored chat: a table of its own, taken over from former releases, found by nonce, and bounded.
import { afterAll, beforeAll, expect, test } from "vitest";
import { RECORDS } from "./former.ts";
import { Client, World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

const say = async (client: Client, nonce: string, text = nonce) => {
  client.socket.send({ type: "chat", nonce, text });
  return (await client.socket.next("chatAccepted", (accepted) => accepted.nonce === nonce)).id;
};
const texts = (client: Client) => client.welcome.snapshot?.chat.map((line) => line.text);

test("a line sent again by the same account is the same line, whichever participant sends it", async () => {
  const [ada, bob] = [await world.person("Ada"), await world.person("Bob")];
  const room = await ada.createRoom();
  const first = await bob.enter(room);
  expect(await say(first, "n1")).toBe("1");
  first.socket.send({ type: "leave" });
  await first.socket.next("closed");
  const second = await bob.enter(room);
  expect(second.welcome.you).not.toBe(first.welcome.you);
  expect(await say(second, "n1")).toBe("1");
  expect(await say(await ada.enter(room), "n1")).toBe("2");
  expect(texts(await ada.enter(room))).toEqual(["n1", "n1"]);
});

test("lines that a former release kept among the records are taken over, all of them", async () => {
  const ada = await world.person("Ada");
  const room = await ada.createRoom();
  const client = await ada.enter(room);
  const { you } = client.welcome;
  const user = client.welcome.snapshot?.participants[0]?.user;
  await world.restart((disk) =>
    disk.room(you, (database) => {
      database.exec(RECORDS);
      const insert = database.prepare("INSERT INTO records VALUES ('chat', ?, ?)");
      const put = (number: number, nonce: string, message: object) => {
        const value = {
          Chat: { number, nonce, message: { id: `${number}`, sentAt: Date.now(), ...message } },
        };
        insert.run(`${number}`.padStart(16, "0"), JSON.stringify(value));
      };
      const mine = { participant: you, name: "Ada" };
      // Of a release that did not note the user: of somebody who is still here, and of somebody who is not.
      put(1, "old", { ...mine, text: "one" });
      put(2, "gone", { participant: "gone", name: "Gone", text: "two" });
      // Twice under one nonce.
      put(3, "twice", { ...mine, user, nonce: "twice", text: "three" });
      put(4, "twice", { ...mine, user, nonce: "twice", text: "four" });
      insert.run("0000000000000005", '{"Chat":');
      insert.run("0000000000000006", '{"Chat":{"number":"six"}}');
    }),
  );
  const back = await Client.open(world, client.resume(room, 99));
  expect(texts(back)).toEqual(["one", "two", "three", "four"]);
  expect(await say(back, "old")).toBe("1");
  expect(["3", "4"]).toContain(await say(back, "twice"));
  expect(await say(back, "new")).toBe("5");
  await world.restart((disk) =>
    disk.room(you, (database) => {
      // What could not be read stays as it was.
      const left = database.prepare("SELECT value FROM records WHERE kind = 'chat'").all();
      expect(left.map(({ value }) => value)).toEqual(['{"Chat":', '{"Chat":{"number":"six"}}']);
      const kept = database.prepare("SELECT * FROM chat_kept").all();
      const counted = database.prepare("SELECT count(*) AS lines, sum(size) AS bytes FROM chat").all();
      expect(kept).toEqual(counted);
    }),
  );
  expect(texts(await ada.enter(room))).toEqual(["one", "two", "three", "four", "new"]);
});

test("the oldest lines go when a room has too many bytes, and what is not in memory is known", async () => {
  const ada = await world.person("Ada");
  const room = await ada.createRoom();
  const client = await ada.enter(room);
  const { you } = client.welcome;
  for (const nonce of ["n1", "n2", "n3"]) await say(client, nonce);
  await world.restart((disk) =>
    disk.room(you, (database) => {
      database.exec(`WITH RECURSIVE count(n) AS (SELECT 4 UNION ALL SELECT n + 1 FROM count WHERE n < 300)
        INSERT INTO chat SELECT n, user, 'n' || n, size, value FROM count, chat WHERE number = 3`);
      // The second line takes all that a room keeps: it goes, and the first before it.
      database.exec("UPDATE chat SET size = 256 * 1024 * 1024 WHERE number = 2");
    }),
  );
  const back = await Client.open(world, client.resume(room, 99));
  expect(texts(back)).toHaveLength(200);
  expect(await say(back, "n3")).toBe("3");
  expect(await say(back, "n301")).toBe("301");
  expect(await say(back, "n3")).toBe("3");
  // It is forgotten, and so is its nonce.
  expect(await say(back, "n1")).toBe("302");
  await world.restart((disk) =>
    disk.room(you, (database) => {
      const { oldest } = database.prepare("SELECT min(number) AS oldest FROM chat").get() ?? {};
      expect(oldest).toBe(3);
    }),
  );
});
