// The shared notes while people write at once, lose their connections, and workerd is killed again and again: all come to the same
// text, and nothing of what was written is lost.
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { NotesDocument } from "../../web/sdk/src/call/notes-document.ts";
import type { ClientMessage, Room, ServerMessage } from "../../web/sdk/src/generated/protocol.ts";
import { Client, type Person, World } from "./world.ts";

/** How many edits each makes, and how often workerd is killed at least. */
const EDITS = Number(process.env.CONNECT_EDITS ?? 1_000);
const KILLS = 3;
/** The share of updates with which the connection is lost. */
const LOST = 0.1;

let world: World;
beforeAll(async () => {
  world = await World.start({ CONNECT_LIMIT_JOIN_ADDRESS: "1000/900" });
});
afterAll(() => world.stop());

/** The notes of the SDK over a WebSocket that is lost now and then. */
class Writer {
  readonly notes: NotesDocument;
  readonly #room: Room;
  #client: Client;
  #socket: WebSocket | null = null;
  #ends = false;

  private constructor(room: Room, client: Client) {
    this.#room = room;
    this.#client = client;
    this.notes = new NotesDocument((message) => this.#send(message));
    this.notes.open(false);
    void this.#stay();
  }

  static async enter(person: Person, room: Room): Promise<Writer> {
    const client = await person.enter(room);
    client.socket.close();
    const writer = new Writer(room, client);
    await expect.poll(() => writer.notes.state.get().open).toBe(true);
    return writer;
  }

  lose(): void {
    this.#socket?.close();
    this.#socket = null;
  }

  end(): void {
    this.#ends = true;
    this.#socket?.close();
    this.notes.end();
  }

  #send(message: ClientMessage): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    // A connection may be lost with what was just sent, or with the answer to it.
    const isLost = message.type === "writeNotes" && Math.random() < LOST;
    if (!isLost || Math.random() < 0.5) this.#socket.send(JSON.stringify(message));
    if (isLost) this.lose();
    return true;
  }

  async #stay(): Promise<void> {
    while (!this.#ends) {
      const socket = new WebSocket(world.url.replace("http", "ws") + this.#client.resume(this.#room, 0));
      await new Promise<void>((resolve) => {
        socket.onclose = socket.onerror = () => resolve();
        socket.onmessage = ({ data }) => this.#receive(socket, JSON.parse(String(data)) as ServerMessage);
      });
      await setTimeout(10);
    }
  }

  #receive(socket: WebSocket, message: ServerMessage): void {
    if (message.type === "welcome") {
      this.#socket = socket;
      this.#client = Object.assign(Object.create(Client.prototype), { welcome: message });
      this.notes.welcome();
    } else if (message.type !== "event" && message.type !== "waiting" && message.type !== "closed") {
      if (message.type !== "wait") this.notes.receive(message);
    }
  }
}

test(`two who make ${EDITS} edits each come to the same text, and nothing is lost`, {
  timeout: 120_000 + EDITS * 40,
}, async () => {
  const [ada, bob] = await Promise.all([world.person("Ada"), world.person("Bob")]);
  const room = await ada.createRoom();
  const writers = [await Writer.enter(ada, room), await Writer.enter(bob, room)];
  // Each word is written once, and a few are deleted by whoever sees them.
  const written = new Set<string>();
  const deleted = new Set<string>();
  const edit = (writer: Writer, name: string, number: number) => {
    const { text } = writer.notes;
    const words = text.match(/<\w+>/g) ?? [];
    const word = words[Math.floor(Math.random() * words.length)];
    if (word !== undefined && Math.random() < 0.3) {
      const at = text.indexOf(word);
      deleted.add(word);
      writer.notes.write(text.slice(0, at) + text.slice(at + word.length), at);
      return;
    }
    // Between words, not in one.
    const places = [...text.matchAll(/(?=<)|$/g)].map(({ index }) => index);
    const at = places[Math.floor(Math.random() * places.length)] ?? 0;
    const added = `<${name}${number}>`;
    written.add(added);
    writer.notes.write(text.slice(0, at) + added + text.slice(at), at + added.length);
  };
  let writing = true;
  let kills = 0;
  const write = async (writer: Writer, name: string) => {
    for (let number = 0; number < EDITS; number++) {
      edit(writer, name, number);
      if (Math.random() < 0.01) writer.lose();
      await setTimeout(Math.random() * 10);
    }
  };
  const kill = async () => {
    while (writing || kills < KILLS) {
      await setTimeout(Math.random() * 2_000);
      await world.restart();
      kills += 1;
    }
  };
  const killing = kill();
  await Promise.all(writers.map((writer, place) => write(writer, "ab"[place] ?? "")));
  writing = false;
  await killing;
  const [one, two] = writers.map(({ notes }) => notes);
  if (one === undefined || two === undefined) throw new Error("two write");
  await expect
    .poll(() => [one, two].map(({ state }) => state.get().saved), { timeout: 60_000 })
    .toEqual([true, true]);
  await expect.poll(() => one.text === two.text, { timeout: 20_000 }).toBe(true);

  await world.restart();
  const late = await Writer.enter(ada, room);
  expect(late.notes.text).toBe(one.text);
  const words = one.text.match(/<\w+>/g) ?? [];
  expect(words.join("")).toBe(one.text);
  expect(new Set(words).size).toBe(words.length);
  expect(new Set(words)).toEqual(new Set([...written].filter((word) => !deleted.has(word))));
  expect([one, two].map(({ state }) => state.get().untaken)).toEqual([null, null]);
  for (const writer of [...writers, late]) writer.end();
});
