// The notes: what one writes is there at once and reaches the others, what is not acknowledged goes again, and what is not taken is
// shown.
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Doc, decodeUpdate, encodeStateAsUpdate } from "yjs";
import { fromBase64, toBase64 } from "../src/call/base64.ts";
import { mayWriteNotes, Notes } from "../src/call/notes.ts";
import { NotesDocument } from "../src/call/notes-document.ts";
import type { TextChange } from "../src/call/text-change.ts";
import { type ClientMessage, DEFAULT_SETTINGS } from "../src/generated/protocol.ts";

interface Person {
  notes: NotesDocument;
  isShown: boolean;
  author: number;
  edition: number;
}

/** A room that stores whatever it is sent, in order, and tells it to all. */
class Room {
  readonly updates: string[] = [];
  readonly said: ClientMessage[] = [];
  readonly #people: Person[] = [];
  #authors = 0;
  /** Whether nobody is known again. */
  forgetful = false;
  edition = 0;
  /** Whether acknowledgments are lost on their way. */
  mute = false;

  enter(): NotesDocument {
    const person = { isShown: false, author: 0 } as Person;
    person.notes = new NotesDocument((message) => {
      // As a WebSocket does: later, and in order.
      queueMicrotask(() => this.#take(person, message));
      return true;
    });
    this.#people.push(person);
    person.notes.open(false);
    person.notes.welcome();
    return person.notes;
  }

  /** Keeps the text alone, of nobody's, and tells who reads. */
  rewrite(text: string): void {
    const doc = new Doc();
    doc.clientID = ++this.#authors;
    doc.getText("notes").insert(0, text);
    this.edition = doc.clientID;
    this.updates.fill("AAA=");
    this.updates.push(toBase64(encodeStateAsUpdate(doc)));
    this.forgetful = true;
    for (const { notes, isShown } of this.#people) if (isShown) notes.receive({ type: "notesRewritten" });
  }

  #take(from: Person, message: ClientMessage): void {
    this.said.push(message);
    if (message.type === "closeNotes") from.isShown = false;
    if (message.type === "openNotes") {
      from.isShown = true;
      from.author = (this.forgetful ? null : message.author) ?? ++this.#authors;
      const updates = this.updates.slice(message.after);
      const { edition } = this;
      from.edition = edition;
      from.notes.receive({
        type: "notes",
        author: from.author,
        edition,
        number: this.updates.length,
        updates,
      });
    }
    if (message.type !== "writeNotes") return;
    if (from.edition !== this.edition) {
      const error = { type: "error", code: "malformed", message: "not here", of: "writeNotes" } as const;
      return from.notes.receive({ ...error, nonce: message.nonce, retryAfterMs: null });
    }
    const { structs } = decodeUpdate(fromBase64(message.update));
    for (const { id } of structs) expect(id.client).toBe(from.author);
    const number = this.updates.push(message.update);
    for (const other of this.#people) {
      if (other !== from && other.isShown) {
        other.notes.receive({ type: "notesWritten", number, update: message.update });
      }
    }
    if (!this.mute) from.notes.receive({ type: "notesTaken", nonce: message.nonce, number });
  }
}

let room: Room;
beforeEach(() => {
  vi.useFakeTimers();
  room = new Room();
});
afterEach(() => vi.useRealTimers());
const settle = () => vi.advanceTimersByTimeAsync(5_000);

it("joins what several write at once", async () => {
  const [one, two] = [room.enter(), room.enter()];
  await settle();
  one.write("Tea", 3);
  await settle();
  const told: (readonly TextChange[] | null)[] = [];
  one.listen((changes) => told.push(changes));
  one.write("Green Tea", 6);
  two.write("Tea and cake", 12);
  expect([one.text, two.text]).toEqual(["Green Tea", "Tea and cake"]);
  expect(one.state.get().saved).toBe(false);
  await settle();
  expect([one.text, two.text]).toEqual(["Green Tea and cake", "Green Tea and cake"]);
  expect(told).toEqual([[{ at: 9, removed: 0, inserted: " and cake" }]]);
  expect(one.state.get().saved).toBe(true);
});

it("sends again what was not acknowledged, and nothing doubles", async () => {
  const [one, two] = [room.enter(), room.enter()];
  await settle();
  room.mute = true;
  one.write("once", 4);
  await settle();
  expect([one.state.get().saved, room.updates.length]).toEqual([false, 1]);
  one.write("once more", 9);
  room.mute = false;
  one.welcome();
  await settle();
  expect([one.text, two.text]).toEqual(["once more", "once more"]);
  expect(one.state.get().saved).toBe(true);
  expect(room.said.filter(({ type }) => type === "openNotes").at(-1)).toMatchObject({ author: 1, after: 0 });
});

it("sends little at a time, and much in parts", async () => {
  const one = room.enter();
  await settle();
  room.said.length = 0;
  for (let count = 1; count <= 30; count++) one.write("x".repeat(count), count);
  await settle();
  expect(room.said).toHaveLength(2);
  const long = "ä".repeat(100_000);
  one.write(long, long.length);
  await vi.advanceTimersByTimeAsync(20_000);
  const sizes = room.updates.map((update) => fromBase64(update).length);
  expect(Math.max(...sizes)).toBeLessThan(32 * 1024);
  const late = room.enter();
  await settle();
  expect(late.text === long).toBe(true);
});

it("lets others wait while something is composed", async () => {
  const [one, two] = [room.enter(), room.enter()];
  await settle();
  one.hold();
  one.write("に", 1);
  two.write("two", 3);
  await settle();
  expect(one.text).toBe("に");
  one.write("日本", 2);
  one.release();
  await settle();
  expect(one.text).toBe(two.text);
  expect(one.text).toContain("日本");
  expect(one.text).toContain("two");
});

it("takes back what was written here, and nothing of the others", async () => {
  const [one, two] = [room.enter(), room.enter()];
  await settle();
  one.write("mine ", 5);
  await settle();
  two.write("mine theirs", 11);
  await settle();
  one.undo();
  expect(one.text).toBe("theirs");
  one.redo();
  await settle();
  expect(two.text).toBe("mine theirs");
});

it("shows what was not taken, and goes on with what the room has", async () => {
  const one = room.enter();
  await settle();
  one.write("kept", 4);
  await settle();
  room.mute = true;
  one.write("kept and refused", 16);
  await vi.advanceTimersByTimeAsync(300);
  room.updates.pop();
  room.mute = false;
  const { nonce } = room.said.at(-1) as Extract<ClientMessage, { type: "writeNotes" }>;
  const error = { type: "error", code: "notesFull", message: "full", of: "writeNotes" } as const;
  one.receive({ ...error, nonce, retryAfterMs: null });
  await settle();
  expect(one.text).toBe("kept");
  expect(one.state.get()).toMatchObject({ open: true, untaken: { text: "kept and refused", why: "full" } });
  one.write("kept on", 7);
  await settle();
  expect(one.state.get().saved).toBe(true);
});

it("never sends again what was no update to the room, and opens the notes anew", async () => {
  const one = room.enter();
  await settle();
  one.write("kept", 4);
  await settle();
  room.mute = true;
  one.write("kept and odd", 12);
  await vi.advanceTimersByTimeAsync(300);
  const odd = room.updates.pop();
  const { nonce } = room.said.at(-1) as Extract<ClientMessage, { type: "writeNotes" }>;
  room.mute = false;
  room.said.length = 0;
  const error = { type: "error", code: "malformed", message: "odd", of: "writeNotes" } as const;
  one.receive({ ...error, nonce, retryAfterMs: null });
  await settle();
  one.welcome();
  await settle();
  expect(room.said.map(({ type }) => type)).not.toContain("writeNotes");
  expect(room.updates).not.toContain(odd);
  expect(one.state.get()).toMatchObject({ open: true, untaken: { text: "kept and odd", why: "odd" } });
});

it("says that there are no notes where the room knows of none", async () => {
  const one = new NotesDocument(() => true);
  one.open(false);
  one.welcome();
  const error = { type: "error", code: "malformed", message: "no message", of: "openNotes" } as const;
  one.receive({ ...error, nonce: null, retryAfterMs: 500 });
  expect(one.state.get()).toMatchObject({ open: false, absent: false });
  one.receive({ ...error, nonce: null, retryAfterMs: null });
  expect(one.state.get()).toMatchObject({ open: false, absent: true });
  // Another release of the room may have them.
  one.receive({ type: "notes", edition: 0, author: 1, number: 0, updates: [] });
  expect(one.state.get()).toMatchObject({ open: true, absent: false });
  one.end();
});

it("goes on as another where it has only read, and all that is there stays", async () => {
  const [one, two] = [room.enter(), room.enter()];
  await settle();
  one.write("Tea", 3);
  await settle();
  room.forgetful = true;
  room.said.length = 0;
  const told = vi.fn();
  two.listen(told);
  two.welcome();
  await settle();
  expect(room.said).toEqual([{ type: "openNotes", after: 1, author: 2 }]);
  expect([two.text, two.state.get().open, told.mock.calls]).toEqual(["Tea", true, []]);
  two.write("Tea and cake", 12);
  await settle();
  expect([one.text, two.state.get().saved]).toEqual(["Tea and cake", true]);
});

it("waits as long as the room says", async () => {
  const one = room.enter();
  await settle();
  room.mute = true;
  one.write("a", 1);
  await vi.advanceTimersByTimeAsync(300);
  room.mute = false;
  const { nonce } = room.said.at(-1) as Extract<ClientMessage, { type: "writeNotes" }>;
  const said = room.said.length;
  const error = { type: "error", code: "rateLimited", message: "wait", of: "writeNotes" } as const;
  one.receive({ ...error, nonce, retryAfterMs: 2_000 });
  await vi.advanceTimersByTimeAsync(1_900);
  expect(room.said).toHaveLength(said);
  await settle();
  expect(one.state.get().saved).toBe(true);
});

it("goes on with notes that were written anew, and shows what was not taken", async () => {
  const [one, two] = [room.enter(), room.enter()];
  await settle();
  one.write("Tea", 3);
  await settle();
  expect(two.text).toBe("Tea");
  one.write("Tea for two", 11);
  room.rewrite("Tea");
  await settle();
  room.forgetful = false;
  expect([one.text, two.text]).toEqual(["Tea", "Tea"]);
  expect(one.state.get()).toMatchObject({ open: true, saved: true, untaken: { text: "Tea for two" } });
  expect(two.state.get()).toMatchObject({ open: true, untaken: null });
  one.write("Green Tea", 6);
  two.write("Tea and cake", 12);
  await settle();
  expect([one.text, two.text]).toEqual(["Green Tea and cake", "Green Tea and cake"]);
});

it("asks for what it has missed, and closes when all is sent", async () => {
  const [one, two] = [room.enter(), room.enter()];
  await settle();
  one.write("1", 1);
  await settle();
  two.receive({ type: "notesWritten", number: 7, update: "AAA=" });
  await settle();
  expect(room.said.filter(({ type }) => type === "openNotes")).toHaveLength(3);
  one.write("12", 2);
  one.close();
  await settle();
  expect(room.said.at(-1)).toEqual({ type: "closeNotes" });
  expect(two.text).toBe("12");
  two.write("123", 3);
  await settle();
  expect(one.text).toBe("12");
  one.open(true);
  await settle();
  expect(one.text).toBe("123");
});

it("sends what it has before one leaves", async () => {
  const [one, two] = [room.enter(), room.enter()];
  await settle();
  one.write("last", 4);
  one.write("last words", 10);
  one.flush();
  one.end();
  await settle();
  expect(two.text).toBe("last words");
});

it("tells in which line the others are", async () => {
  const [one, two] = [room.enter(), room.enter()];
  await settle();
  one.write("a\nb\nc", 5);
  await settle();
  two.point(2);
  await settle();
  const { at } = room.said.at(-1) as Extract<ClientMessage, { type: "pointInNotes" }>;
  one.receive({ type: "notesPointer", participant: "two", at });
  one.receive({ type: "notesPointer", participant: "who", at: "nonsense" });
  expect(one.state.get().lines).toEqual(new Map([["two", 2]]));
  one.write("0\na\nb\nc", 2);
  expect(one.state.get().lines).toEqual(new Map([["two", 3]]));
  one.left("two");
  expect(one.state.get().lines).toEqual(new Map());
});

it("is loaded when it is opened, and opens with the call", async () => {
  const sent: ClientMessage[] = [];
  const notes = new Notes((message) => sent.push(message) > 0);
  notes.welcome();
  expect(sent).toEqual([]);
  const opened = await notes.open();
  expect(sent).toEqual([{ type: "openNotes", after: 0, author: null }]);
  const doc = new Doc();
  doc.getText("notes").insert(0, "there");
  notes.receive({
    type: "notes",
    edition: 0,
    author: 3,
    number: 1,
    updates: [toBase64(encodeStateAsUpdate(doc))],
  });
  expect(opened.text).toBe("there");
  notes.end();
});

it("who keeps order writes always, viewers never, and the others where the room lets them", () => {
  const roles = ["host", "moderator", "speaker", "viewer", undefined] as const;
  const may = (notes: "everybody" | "moderators") =>
    roles.filter((role) => mayWriteNotes(role, { ...DEFAULT_SETTINGS, notes }));
  expect(may("everybody")).toEqual(["host", "moderator", "speaker", undefined]);
  expect(may("moderators")).toEqual(["host", "moderator"]);
});
