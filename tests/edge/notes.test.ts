// The shared notes: an update is stored before it is acknowledged, numbered for all, and nobody writes as another, upon nothing,
// or so that everybody else has to wait.
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { applyUpdate, Doc, encodeStateAsUpdate } from "yjs";
import { base64, made, varint, Writer } from "./notes-writer.ts";
import { type Guest, type Person, World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

async function exported(person: Person | Guest, room: { id: string }) {
  const response = await fetch(`${world.url}/api/rooms/${room.id}/notes/export`, {
    headers: { authorization: `Bearer ${person.token}` },
  });
  return { status: response.status, text: await response.text() };
}

test("what was acknowledged is there after a restart, for who was there and who comes", async () => {
  const [ada, bob] = await Promise.all([world.person("Ada"), world.person("Bob")]);
  const room = await ada.createRoom();
  const one = await Writer.of(await ada.enter(room));
  const two = await Writer.of(await bob.enter(room));
  expect(await one.types("Tea")).toBe(1);
  const told = await two.client.socket.next("notesWritten");
  expect(told.number).toBe(1);
  two.take(told.update);
  expect(await two.types(" and cake")).toBe(2);
  // The writer is not told what it has said itself, and an update that is known is not stored again.
  expect(one.client.socket.pending("notesWritten")).toMatchObject([{ number: 2 }]);
  expect(await one.send(one.made(() => one.text.insert(0, "Menu: ")))).toBe(3);
  expect(await one.send(encodeStateAsUpdate(one.doc))).toBe(3);

  await world.restart();

  const late = await Writer.of(await ada.enter(room));
  expect(late.text.toString()).toBe("Menu: Tea and cake");
  expect(await exported(ada, room)).toEqual({ status: 200, text: "Menu: Tea and cake" });
  expect((await exported(bob, room)).status).toBe(403);
  expect((await exported(await world.guest(room, "Gus"), room)).status).toBe(403);
  // Who comes back goes on as the same author, from the number that is known.
  late.client.socket.send({ type: "openNotes", after: 3, author: late.doc.clientID });
  expect(await late.client.socket.next("notes")).toMatchObject({
    author: late.doc.clientID,
    number: 3,
    updates: [],
  });
  late.client.socket.send({ type: "openNotes", after: 3, author: two.doc.clientID });
  const other = await late.client.socket.next("notes");
  expect([one, two, late].map(({ doc }) => doc.clientID)).not.toContain(other.author);
});

test("a guest who takes an account goes on as the same author", async () => {
  const [ada, bob] = await Promise.all([world.person("Ada"), world.person("Bob")]);
  const room = await ada.createRoom();
  const client = await (await world.guest(room, "Gus")).enter(room);
  const writer = await Writer.of(client);
  expect(await writer.types("By a guest")).toBe(1);
  client.socket.send({ type: "takeAccount", token: bob.token });
  await client.socket.next("event", ({ event }) => event.type === "account");
  client.socket.send({ type: "openNotes", after: 1, author: writer.doc.clientID });
  expect(await client.socket.next("notes")).toMatchObject({ author: writer.doc.clientID, updates: [] });
  expect(await writer.types(", and by Bob")).toBe(2);
});

test("who reads alone is remembered as no author before their first words", async () => {
  const [ada, bob] = await Promise.all([world.person("Ada"), world.person("Bob")]);
  const room = await ada.createRoom("Stage", { notes: "moderators" });
  const host = await Writer.of(await ada.enter(room));
  const client = await bob.enter(room);
  const again = async (author: number) => {
    client.socket.send({ type: "openNotes", after: 0, author });
    return (await client.socket.next("notes")).author;
  };
  const first = (await Writer.of(client)).doc.clientID;
  expect(await again(first)).not.toBe(first);
  host.client.socket.send({ type: "configure", change: { notes: "everybody" } });
  await client.socket.next("event", ({ event }) => event.type === "settings");
  const writer = await Writer.of(client);
  expect(await again(writer.doc.clientID)).toBe(writer.doc.clientID);

  host.client.socket.send({ type: "configure", change: { notes: "moderators" } });
  await client.socket.next("event", ({ event }) => event.type === "settings");
  const promoted = await Writer.of(client);
  host.client.socket.send({ type: "configure", change: { notes: "everybody" } });
  await client.socket.next("event", ({ event }) => event.type === "settings");
  expect(await promoted.types("At last")).toBe(1);
  await world.restart();
  const returned = await bob.enter(room);
  returned.socket.send({ type: "openNotes", after: 1, author: promoted.doc.clientID });
  expect(await returned.socket.next("notes")).toMatchObject({ author: promoted.doc.clientID, updates: [] });
});

test("notes that are full of how they came to be are written anew, and go on", async () => {
  const [ada, bob] = await Promise.all([world.person("Ada"), world.person("Bob")]);
  const room = await ada.createRoom("Worn");
  const before = await ada.enter(room);
  const first = await Writer.of(before);
  // Pieces that are not next to one another.
  for (let i = 0; i < 40; i++) expect(await first.types(`${i % 10}`, 0)).toBe(i + 1);
  await world.restart((disk) =>
    disk.room(before.welcome.you, (database) => database.exec("UPDATE notes SET work = 1000000")),
  );
  const one = await Writer.of(await ada.enter(room));
  const two = await Writer.of(await bob.enter(room));
  const text = one.text.toString();
  // What goes on beside its neighbor is sought nowhere.
  expect(await one.types("!")).toBe(41);
  const sought = made((doc) => {
    doc.clientID = two.doc.clientID;
    doc.getText("notes").insert(0, "far");
  }, new Doc());
  expect(await two.send(sought)).toBe("notesFull");
  await one.client.socket.next("notesRewritten");
  expect(two.client.socket.pending("notesRewritten")).toEqual([]);
  // Who has the former edition writes upon what is not there any more.
  expect(await one.types("?")).toBe("malformed");

  const ask = async (writer: Writer, after: number) => {
    writer.client.socket.send({ type: "openNotes", after, author: writer.doc.clientID });
    return await writer.client.socket.next("notes");
  };
  const page = await ask(one, 41);
  expect(page).toMatchObject({ number: 42, updates: [expect.any(String)] });
  expect(page.edition).toBeGreaterThan(0);
  expect(page.author).not.toBe(one.doc.clientID);
  await world.restart();
  const [again, other] = [await Writer.of(await ada.enter(room)), await Writer.of(await bob.enter(room))];
  expect(again.text.toString()).toBe(`${text}!`);
  expect(await again.types("?")).toBe(43);
  other.take((await other.client.socket.next("notesWritten")).update);
  expect(await other.types("And far: ", 0)).toBe(44);
  expect((await exported(ada, room)).text).toBe(`And far: ${text}!?`);
  expect((await ask(other, 44)).edition).toBe(page.edition);
});

test("who closed the notes is not told of them, and who reads alone writes nothing", async () => {
  const [ada, bob] = await Promise.all([world.person("Ada"), world.person("Bob")]);
  const room = await ada.createRoom("Read", { notes: "moderators" });
  const one = await Writer.of(await ada.enter(room));
  const two = await Writer.of(await bob.enter(room));
  expect(await two.types("No")).toBe("forbidden");
  one.client.socket.send({ type: "pointInNotes", at: "AAAA" });
  expect(await two.client.socket.next("notesPointer")).toEqual({
    type: "notesPointer",
    participant: one.client.welcome.you,
    at: "AAAA",
  });
  two.client.socket.send({ type: "closeNotes" });
  two.client.socket.send({ type: "chat", nonce: "c", text: "closed" });
  await two.client.socket.next("chatAccepted");
  await one.types("Yes");
  one.client.socket.send({ type: "chat", nonce: "d", text: "written" });
  await two.client.socket.next(
    "event",
    ({ event }) => event.type === "chat" && event.message.text === "written",
  );
  expect(two.client.socket.pending("notesWritten")).toEqual([]);
});

test("what is no text of one's own upon what there is, is refused, and disturbs nobody", async () => {
  const [ada, bob] = await Promise.all([world.person("Ada"), world.person("Bob")]);
  const room = await ada.createRoom();
  const one = await Writer.of(await ada.enter(room));
  const mallory = await Writer.of(await bob.enter(room));
  await one.types("Ours");
  const forged = new Doc();
  forged.clientID = one.doc.clientID;
  applyUpdate(forged, encodeStateAsUpdate(one.doc));
  const asAda = made((doc) => doc.getText("notes").insert(0, "Theirs"), forged);
  const own = () => Object.assign(new Doc(), { clientID: mallory.doc.clientID });
  const hole = own();
  hole.getText("notes").insert(0, "lost");
  for (const update of [
    asAda,
    new Uint8Array([1, 2, 3]),
    new Uint8Array(),
    made((doc) => doc.getText("notes").insert(4, "after a hole"), hole),
    made((doc) => doc.getText("elsewhere").insert(0, "unseen"), own()),
    made((doc) => doc.getMap("notes").set("a", 1), own()),
    made((doc) => doc.getArray("notes").insert(0, [1]), own()),
    made((doc) => doc.getText("notes").insertEmbed(0, { a: 1 }), own()),
    made((doc) => doc.getText("notes").insert(0, "a\r\nb"), own()),
  ]) {
    expect(await mallory.send(update), base64(update)).toBe("malformed");
  }
  mallory.client.socket.send({ type: "writeNotes", nonce: "x", update: "no base64" });
  expect(await mallory.client.socket.next("error", ({ nonce }) => nonce === "x")).toMatchObject({
    code: "malformed",
  });
  expect(await one.types("!")).toBe(2);
  expect(await exported(ada, room)).toEqual({ status: 200, text: "Ours!" });
});

test("updates that are broken anywhere leave notes that everybody can read", async () => {
  const ada = await world.person("Ada");
  const room = await ada.createRoom();
  const answers: (number | string)[] = [];
  for (let count = 0; count < 3; count++) {
    const writer = await Writer.of(await ada.enter(room));
    await writer.types("Words in a row. ");
    for (let turn = 0; turn < 35; turn++) {
      const whole = new Doc();
      whole.clientID = writer.doc.clientID;
      applyUpdate(whole, encodeStateAsUpdate(writer.doc));
      whole.clientID = writer.doc.clientID;
      const update = made((doc) => {
        doc.transact(() => {
          doc.getText("notes").insert(turn % 10, "new");
          doc.getText("notes").delete(3, 2);
        });
      }, whole);
      const at = Math.floor(Math.random() * update.length);
      update[at] = Math.floor(Math.random() * 256);
      answers.push(await writer.send(turn % 3 === 0 ? update.slice(0, at) : update));
    }
  }
  expect(new Set(answers.map((answer) => typeof answer))).toEqual(new Set(["number", "string"]));
  await world.restart();
  const late = await Writer.of(await ada.enter(room));
  expect(late.doc.store.pendingStructs).toBeNull();
  expect(late.doc.store.pendingDs).toBeNull();
  expect(await exported(ada, room)).toEqual({ status: 200, text: late.text.toString() });
  expect(typeof (await late.types("and on"))).toBe("number");
});

test("what everybody would seek its place for a long time is refused", async () => {
  const ada = await world.person("Ada");
  const room = await ada.createRoom();
  const [one, mallory] = [await Writer.of(await ada.enter(room)), await Writer.of(await ada.enter(room))];
  // Single letters that cannot be joined, and then many between the first of all and each of them.
  expect(await one.types("x".repeat(4_000))).toBe(1);
  const far = (count: number, from: number) => {
    const author = mallory.doc.clientID;
    const bytes = [1, ...varint(count), ...varint(author), ...varint(from)];
    for (let place = 0; place < count; place++) {
      bytes.push(0x44, ...varint(one.doc.clientID), ...varint((from + place) % 4_000), 1, 0x61);
    }
    return new Uint8Array([...bytes, 0]);
  };
  const began = performance.now();
  let taken = 0;
  let answer: number | string = 0;
  expect(await mallory.send(far(1_000, 0))).toBe("notesFull");
  // In small portions, it is the whole that is bounded.
  while (typeof answer === "number" || answer === "rateLimited") {
    if (answer === "rateLimited") await setTimeout(500);
    else taken += 1;
    answer = await mallory.send(far(200, (taken - 1) * 200));
  }
  expect(answer).toBe("notesFull");
  process.stdout.write(`refused after ${taken} of 200, ${(performance.now() - began).toFixed(0)} ms\n`);
  expect(typeof (await one.types("and on it goes"))).toBe("number");
  await world.restart();
  const reading = performance.now();
  expect((await exported(ada, room)).text).toContain("and on it goes");
  process.stdout.write(`read anew in ${(performance.now() - reading).toFixed(0)} ms\n`);
});

test("the notes are joined as they grow, full at their bound, and then can be made shorter", async () => {
  const ada = await world.person("Ada");
  const room = await ada.createRoom();
  let writer = await Writer.of(await ada.enter(room));
  const part = "All work and no play makes Jack a dull boy. ".repeat(500);
  let answer: number | string = 0;
  while (typeof answer === "number") {
    answer = await writer.types(part);
    // The room takes so much of one participant and no more: another one goes on.
    if (answer === "rateLimited") {
      writer.client.socket.send({ type: "leave" });
      writer = await Writer.of(await ada.enter(room));
      answer = 0;
    }
  }
  expect(answer).toBe("notesFull");
  expect(writer.text.length * 2).toBeGreaterThan(256 * 1024);
  const shorter = writer.made(() => writer.text.delete(0, writer.text.length / 2));
  expect(typeof (await writer.send(shorter))).toBe("number");
  const { text } = await exported(ada, room);
  expect(text.length).toBeLessThan(200_000);
});
