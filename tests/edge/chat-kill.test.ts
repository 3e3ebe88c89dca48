// Chat while workerd is killed again and again, at any instant: what was acknowledged is there, once, and in one order for all.
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type {
  ChatMessage,
  ClientMessage,
  Room,
  RoomEvent,
  ServerMessage,
} from "../../web/sdk/src/generated/protocol.ts";
import { Client, type Person, World } from "./world.ts";

/** How many lines are said in all. */
const LINES = Number(process.env.CONNECT_LINES ?? 300);
const WRITERS = 4;
/** How many times workerd is killed at least, and how many messages it sends at most before. */
const KILLS = 3;
const MESSAGES = 200;
/** What is not answered on an open connection within this time is said again. */
const ANSWERED_WITHIN_MS = 5_000;

let world: World;
beforeAll(async () => {
  world = await World.start({ CONNECT_LIMIT_JOIN_ADDRESS: "1000/900" });
});
afterAll(() => world.stop());

/** How many messages have come from workerd. */
let heard = 0;

interface Line {
  nonce: string;
  text: string;
  deleted: boolean;
}

/** Somebody who says, edits and deletes, each until it is acknowledged, whatever becomes of the connection. */
class Writer {
  /** What this one's own lines are, as far as acknowledged, by id. */
  readonly own = new Map<string, Line>();
  /** What was told, by its number. */
  readonly told = new Map<number, string>();
  readonly #room: Room;
  #client: Client;
  #socket: WebSocket | null = null;
  /** What is known of each line, by id. */
  readonly #lines = new Map<string, Line>();
  readonly #stored = new Map<string, string>();
  #pauseMs = 0;
  #wake = () => {};

  private constructor(room: Room, client: Client) {
    this.#room = room;
    this.#client = client;
  }

  static async enter(person: Person, room: Room): Promise<Writer> {
    const client = await person.enter(room);
    client.socket.close();
    return new Writer(room, client);
  }

  async says(nonce: string): Promise<void> {
    await this.#until({ type: "chat", nonce, text: nonce }, () => this.#stored.has(nonce));
    const id = this.#stored.get(nonce) ?? "";
    this.own.set(id, { nonce, text: nonce, deleted: false });
  }

  async edits(id: string, line: Line, text: string): Promise<void> {
    await this.#until({ type: "editChat", id, text }, () => this.#lines.get(id)?.text === text);
    this.own.set(id, { ...line, text });
  }

  async deletes(id: string, line: Line): Promise<void> {
    await this.#until({ type: "deleteChat", id }, () => this.#lines.get(id)?.deleted === true);
    this.own.set(id, { ...line, text: "", deleted: true });
  }

  close(): void {
    this.#socket?.close();
  }

  async #until(message: ClientMessage, isDone: () => boolean): Promise<void> {
    for (;;) {
      await this.#connect();
      if (isDone()) return;
      const until = performance.now() + ANSWERED_WITHIN_MS;
      this.#socket?.send(JSON.stringify(message));
      while (!isDone() && this.#socket !== null && this.#pauseMs === 0 && performance.now() < until)
        await this.#change();
      await setTimeout(this.#pauseMs);
      this.#pauseMs = 0;
    }
  }

  async #connect(): Promise<void> {
    while (this.#socket === null) {
      const url = world.url.replace("http", "ws") + this.#client.resume(this.#room, this.#seq());
      const socket = new WebSocket(url);
      const isWelcome = await new Promise<boolean>((resolve) => {
        socket.onclose = socket.onerror = () => {
          if (this.#socket === socket) this.#socket = null;
          this.#wake();
          resolve(false);
        };
        socket.onmessage = ({ data }) => {
          const message = JSON.parse(String(data)) as ServerMessage;
          heard += 1;
          if (message.type === "welcome") {
            this.#client = Object.assign(Object.create(Client.prototype), { welcome: message });
            resolve(true);
          }
          this.#receive(message);
          this.#wake();
        };
      });
      if (isWelcome) this.#socket = socket;
      else await setTimeout(10);
    }
  }

  /** The number of the latest event that this one was told. */
  #seq(): number {
    return Math.max(this.#client.welcome.seq, ...[...this.told.keys()].slice(-1));
  }

  #receive(message: ServerMessage): void {
    if (message.type === "welcome") for (const line of message.snapshot?.chat ?? []) this.#knows(line);
    if (message.type === "chatAccepted") this.#stored.set(message.nonce, message.id);
    if (message.type === "error") this.#pauseMs = message.retryAfterMs ?? 0;
    if (message.type !== "event") return;
    this.told.set(message.seq, named(message.event));
    this.#happens(message.event);
  }

  #happens(event: RoomEvent): void {
    if (event.type === "chat") this.#knows(event.message);
    if (event.type === "chatEdited") this.#changes(event.id, { text: event.text });
    if (event.type === "chatDeleted") this.#changes(event.id, { text: "", deleted: true });
  }

  #knows({ id, nonce, text, deleted = false }: ChatMessage): void {
    this.#lines.set(id, { nonce, text, deleted });
  }

  #changes(id: string, changed: Partial<Line>): void {
    const line = this.#lines.get(id);
    if (line !== undefined) this.#lines.set(id, { ...line, ...changed });
  }

  async #change(): Promise<void> {
    const late = new AbortController();
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    await Promise.race([
      woken,
      setTimeout(ANSWERED_WITHIN_MS, undefined, { signal: late.signal }).catch(() => {}),
    ]);
    late.abort();
  }
}

/** What an event is about. Its text may have been deleted before somebody else was told. */
function named(event: RoomEvent): string {
  const id = event.type === "chat" ? event.message.id : "id" in event ? event.id : "";
  return `${event.type} ${id}`;
}

/** The whole chat, paged back from its end. */
async function history(client: Client): Promise<ChatMessage[]> {
  const lines: ChatMessage[] = [];
  for (let next: string | null = `${LINES + 1}`; next !== null; ) {
    client.socket.send({ type: "chatHistory", before: next, limit: 100 });
    const answer = await Promise.race([
      client.socket.next("chatPage"),
      client.socket.next("error", ({ of }) => of === "chatHistory"),
    ]);
    if (answer.type === "error") await setTimeout(answer.retryAfterMs ?? 0);
    else {
      lines.unshift(...answer.lines);
      next = answer.next;
    }
  }
  return lines;
}

test(`of ${LINES} lines none is lost and none doubled, and their order is the same for all`, {
  timeout: 60_000 + LINES * 100,
}, async () => {
  const names = Array.from({ length: WRITERS }, (_, index) => `Writer${index}`);
  const people = await Promise.all(names.map((name) => world.person(name)));
  const [first] = people;
  if (first === undefined) throw new Error("there are people");
  const room = await first.createRoom();
  const writers = await Promise.all(people.map((person) => Writer.enter(person, room)));
  let said = 0;
  let kills = 0;
  const write = async (writer: Writer, name: string) => {
    while (said < LINES) {
      said += 1;
      await writer.says(`${name} ${said}`);
      const latest = [...writer.own].filter(([, { deleted }]) => !deleted).slice(-5);
      const [id, line] = latest[Math.floor(Math.random() * latest.length)] ?? [];
      if (id === undefined || line === undefined) continue;
      if (Math.random() < 0.3) await writer.edits(id, line, `${line.nonce} edited ${said}`);
      else if (Math.random() < 0.1) await writer.deletes(id, line);
    }
  };
  let writing = true;
  const kill = async () => {
    while (writing) {
      const until = heard + Math.random() * MESSAGES;
      while (writing && heard < until) await setTimeout(Math.random() * 5);
      await world.restart();
      kills += 1;
    }
  };
  const killing = kill();
  await Promise.all(writers.map((writer, index) => write(writer, names[index] ?? "")));
  writing = false;
  await killing;
  for (const writer of writers) writer.close();

  expect(kills).toBeGreaterThan(KILLS);
  const lines = await history(await first.enter(room));
  // Each once, since there are as many as were said, and in one order, that of their numbers.
  expect(lines.map(({ id }) => Number(id))).toEqual(Array.from({ length: LINES }, (_, index) => index + 1));
  expect(new Set(lines.map(({ nonce }) => nonce)).size).toBe(LINES);
  const own = new Map(writers.flatMap((writer) => [...writer.own]));
  const stored = lines.map(({ id, nonce, text, deleted = false }) => [id, { nonce, text, deleted }] as const);
  expect(new Map(stored)).toEqual(new Map([...own].sort(([a], [b]) => Number(a) - Number(b))));
  const told = new Map<number, string>();
  for (const [seq, event] of writers.flatMap((writer) => [...writer.told])) {
    expect(told.get(seq) ?? event).toBe(event);
    told.set(seq, event);
  }
});
