// The shared notes of a call: what is in them is loaded when they are opened, and Yjs with it.
import type { ClientMessage, Role, RoomEvent, Settings } from "../generated/protocol.ts";
import { keepsOrder } from "./asks.ts";
import type { NotesDocument } from "./notes-document.ts";
import type { OtherMessage } from "./signaling.ts";
import type { Subject } from "./subject.ts";

/** Whether somebody of this role may write in the notes of a room that is set so. */
export function mayWriteNotes(role: Role | undefined, settings: Settings): boolean {
  return keepsOrder(role) || (settings.notes !== "moderators" && role !== "viewer");
}

/** The notes, as a page uses them: `call.notes`. */
export class Notes implements Subject {
  readonly #send: (message: ClientMessage) => boolean;
  #document: NotesDocument | null = null;
  #listens = false;

  constructor(send: (message: ClientMessage) => boolean) {
    this.#send = send;
  }

  /** Shows the notes, until the document is closed or the call is over. Rejects if the code of it cannot be loaded. */
  async open(): Promise<NotesDocument> {
    const { NotesDocument } = await import("./notes-document.ts");
    this.#document ??= new NotesDocument(this.#send);
    this.#document.open(this.#listens);
    return this.#document;
  }

  flush(): void {
    this.#document?.flush();
  }

  welcome(): void {
    this.#listens = true;
    this.#document?.welcome();
  }

  happen(event: RoomEvent): void {
    if (event.type === "left") this.#document?.left(event.participant);
  }

  receive(message: OtherMessage): void {
    this.#document?.receive(message);
  }

  end(): void {
    this.#listens = false;
    this.#document?.end();
    this.#document = null;
  }
}
