// Updates that would spoil the notes, or the room with them: each is refused as malformed, and nobody loses their connection.
import { afterAll, beforeAll, expect, test } from "vitest";
import { base64, varint, Writer } from "./notes-writer.ts";
import { World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

/** The kinds of content, as Yjs numbers them. */
const [DELETED, STRING] = [1, 4];

/** A piece at the beginning of the text. */
const piece = (kind: number, ...content: number[]) => [kind, 1, 5, ...Buffer.from("notes"), ...content];
/** A piece after one of this author's. */
const after = (author: number, clock: number, kind: number, ...content: number[]) => [
  kind | 0x80,
  ...varint(author),
  ...varint(clock),
  ...content,
];
const letter = (of: string) => [1, of.charCodeAt(0)];
const section = (author: number, clock: number, ...pieces: number[][]) => [
  ...varint(pieces.length),
  ...varint(author),
  ...varint(clock),
  ...pieces.flat(),
];
const update = (sections: number[][], deleted: number[] = [0]) =>
  new Uint8Array([sections.length, ...sections.flat(), ...deleted]);
const deleting = (author: number, ...ranges: (readonly [number, number])[]) => [
  1,
  ...varint(author),
  ranges.length,
  ...ranges.flatMap(([clock, length]) => [...varint(clock), ...varint(length)]),
];

const LONGEST = Number.MAX_SAFE_INTEGER;
const spoilers: Record<string, (me: number, known: number) => Uint8Array> = {
  "an author of more than 32 bits": () => update([section(2 ** 32, 0, piece(STRING, ...letter("a")))]),
  "an author of 53 bits": () => update([section(LONGEST, 0, piece(STRING, ...letter("a")))]),
  "more characters than 64 bits count": (me, known) =>
    update([
      section(
        me,
        known,
        ...Array.from({ length: 2_100 }, () => after(me, known - 1, DELETED, ...varint(LONGEST))),
      ),
    ]),
  "a text of no length": (me, known) => update([section(me, known, piece(STRING, 0))]),
  "no text among text": (me, known) =>
    update([
      section(
        me,
        known,
        after(me, known - 1, STRING, ...letter("a")),
        after(me, known, STRING, 0),
        after(me, known, STRING, ...letter("b")),
      ),
    ]),
  "deleted text of no length": (me, known) => update([section(me, known, piece(DELETED, 0))]),
  "a deletion of no length": (me) => update([], deleting(me, [1, 0])),
  "a deletion of nothing at the end": (me, known) => update([], deleting(me, [known, 0])),
  "two parts of one author": (me, known) =>
    update([
      section(me, known, after(me, known - 1, STRING, ...letter("a"))),
      section(me, known + 1, after(me, known, STRING, ...letter("b"))),
    ]),
  "a part and an empty one of the same author": (me, known) =>
    update([section(me, known, after(me, known - 1, STRING, ...letter("a"))), section(me, known + 1)]),
  "two parts with a hole between them": (me, known) =>
    update([
      section(me, known, after(me, known - 1, STRING, ...letter("a"))),
      section(me, known + 2, after(me, known, STRING, ...letter("b"))),
    ]),
};

test.for(Object.entries(spoilers))("%s is refused, and all goes on", async ([_, spoiler]) => {
  const [ada, bob] = await Promise.all([world.person("Ada"), world.person("Bob")]);
  const room = await ada.createRoom();
  const one = await Writer.of(await ada.enter(room));
  const mallory = await Writer.of(await bob.enter(room));
  expect(await one.types("Ours")).toBe(1);
  expect(await mallory.types("Known")).toBe(2);
  const spoils = spoiler(mallory.doc.clientID, 5);
  for (let time = 0; time < 2; time++) {
    expect(await mallory.send(spoils), base64(spoils)).toBe("malformed");
    expect(await one.types("!")).toBe(3 + time);
  }
  // Nobody had to come again, and who comes reads all of it.
  const late = await Writer.of(await ada.enter(room));
  expect(late.doc.store.pendingStructs).toBeNull();
  expect(late.doc.store.pendingDs).toBeNull();
  expect([...late.text.toString()].sort().join("")).toBe([..."OursKnown!!"].sort().join(""));
  await world.restart();
  expect((await Writer.of(await bob.enter(room))).text.toString()).toBe(late.text.toString());
});
