// Somebody who does not give up: each deed is asked for again until it is acknowledged, though workerd is killed meanwhile.
import { setTimeout } from "node:timers/promises";
import type {
  ChatMessage,
  ClientMessage,
  OwnVote,
  Role,
  Room,
  RoomEvent,
  ServerMessage,
} from "../../web/sdk/src/generated/protocol.ts";
import { Client, type Person, type World } from "./world.ts";

/** What is not answered on an open connection within this time is said again. */
const ANSWERED_WITHIN_MS = 5_000;

export interface Line {
  nonce: string;
  text: string;
  deleted: boolean;
}

/** Somebody who says, edits, deletes, votes and gives roles, each until it is acknowledged, whatever becomes of the connection. */
export class Steadfast {
  /** What this one's own lines are, as far as acknowledged, by id. */
  readonly own = new Map<string, Line>();
  /** What was told, by its number. */
  readonly told = new Map<number, string>();
  /** What was acknowledged of this one's votes, the latest of each poll, and how many were. */
  readonly votes = new Map<number, number>();
  voted = 0;
  /** How many messages have come. */
  heard = 0;
  readonly user: string;
  readonly #world: World;
  readonly #room: Room;
  #client: Client;
  #socket: WebSocket | null = null;
  /** What is known of each line, by id. */
  readonly #lines = new Map<string, Line>();
  readonly #stored = new Map<string, string>();
  readonly #made = new Map<string, number>();
  #own: readonly OwnVote[] = [];
  readonly #roles = new Map<string, Role>();
  #pauseMs = 0;
  #wake = () => {};

  private constructor(person: Person, room: Room, client: Client) {
    this.#world = person.world;
    this.user = person.user.id;
    this.#room = room;
    this.#client = client;
  }

  static async enter(person: Person, room: Room): Promise<Steadfast> {
    const client = await person.enter(room);
    client.socket.close();
    return new Steadfast(person, room, client);
  }

  get participant(): string {
    return this.#client.welcome.you;
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

  async asks(nonce: string, options: string[]): Promise<number> {
    const draft = { question: "?", options, multiple: false, anonymous: false, shows: "live" as const };
    await this.#until({ type: "createPoll", nonce, draft }, () => this.#made.has(nonce));
    return this.#made.get(nonce) ?? 0;
  }

  async choosesIn(poll: number, choice: number): Promise<void> {
    const isOwn = (vote: OwnVote) => vote.poll === poll && `${vote.choices}` === `${choice}`;
    if (this.votes.get(poll) === choice) return;
    await this.#until({ type: "vote", poll, choices: [choice] }, () => this.#own.some(isOwn));
    this.votes.set(poll, choice);
    this.voted += 1;
  }

  async makes(participant: string, role: Role): Promise<void> {
    await this.#until({ type: "setRole", participant, role }, () => this.#roles.get(participant) === role);
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
      const url = this.#world.url.replace("http", "ws") + this.#client.resume(this.#room, this.#seq());
      const socket = new WebSocket(url);
      const isWelcome = await new Promise<boolean>((resolve) => {
        socket.onclose = socket.onerror = () => {
          if (this.#socket === socket) this.#socket = null;
          this.#wake();
          resolve(false);
        };
        socket.onmessage = ({ data }) => {
          const message = JSON.parse(String(data)) as ServerMessage;
          this.heard += 1;
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
    if (message.type === "welcome")
      for (const { id, role } of message.snapshot?.participants ?? []) this.#roles.set(id, role);
    if (message.type === "pollCreated") this.#made.set(message.nonce, message.poll);
    if (message.type === "ownVotes") this.#own = message.votes;
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
    if (event.type === "joined") this.#roles.set(event.participant.id, event.participant.role);
    if (event.type === "role") this.#roles.set(event.participant, event.role);
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
