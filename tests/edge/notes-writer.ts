// Somebody who writes in the notes with Yjs alone, as they like: also what no client of ours would send.
import { applyUpdate, Doc } from "yjs";
import type { Client } from "./world.ts";

export const base64 = (update: Uint8Array) => Buffer.from(update).toString("base64");

/** Somebody with the notes open, as Yjs alone has them. */
export class Writer {
  readonly doc = new Doc();
  readonly text = this.doc.getText("notes");
  readonly client: Client;
  #made: Uint8Array[] = [];
  #nonces = 0;

  private constructor(client: Client, author: number) {
    this.client = client;
    this.doc.clientID = author;
    this.doc.on("update", (update: Uint8Array, origin: unknown) => {
      if (origin !== "room") this.#made.push(update);
    });
  }

  static async of(client: Client): Promise<Writer> {
    client.socket.send({ type: "openNotes", after: 0, author: null });
    const { author, updates } = await client.socket.next("notes");
    const writer = new Writer(client, author);
    for (const update of updates) writer.take(update);
    return writer;
  }

  take(update: string): void {
    applyUpdate(this.doc, Buffer.from(update, "base64"), "room");
  }

  /** Makes a change, and its update. */
  made(change: () => void): Uint8Array {
    change();
    return this.#made.pop() ?? new Uint8Array();
  }

  /** Sends an update; resolves to its number, or why it is refused. */
  async send(update: Uint8Array): Promise<number | string> {
    const nonce = `n${this.#nonces++}`;
    this.client.socket.send({ type: "writeNotes", nonce, update: base64(update) });
    const answer = await Promise.race([
      this.client.socket.next("notesTaken", (taken) => taken.nonce === nonce),
      this.client.socket.next("error", (error) => error.nonce === nonce),
    ]);
    return answer.type === "error" ? answer.code : answer.number;
  }

  types(words: string, at = this.text.length): Promise<number | string> {
    return this.send(this.made(() => this.text.insert(at, words)));
  }
}

/** The update that a change of a document makes. */
export function made(change: (doc: Doc) => void, doc: Doc): Uint8Array {
  let update = new Uint8Array();
  doc.once("update", (made: Uint8Array) => {
    update = new Uint8Array(made);
  });
  change(doc);
  return update;
}

/** A number as Yjs writes it: seven bits at a time, the low ones first. */
export function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
}
