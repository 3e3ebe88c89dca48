// The shared notes as Yjs has them: what one writes is there at once, goes to the room when it can, and is joined with what the
// others write. What the room has not acknowledged is kept and sent again.
import {
  applyUpdate,
  createAbsolutePositionFromRelativePosition,
  createRelativePositionFromTypeIndex,
  Doc,
  decodeRelativePosition,
  encodeRelativePosition,
  getState,
  mergeUpdates,
  UndoManager,
} from "yjs";
import {
  type ClientMessage,
  MAX_NOTES_UPDATE_BYTES,
  type NotesPage,
  type NotesPointer,
  type ParticipantId,
} from "../generated/protocol.ts";
import { type Readable, Store } from "../store.ts";
import { fromBase64, toBase64 } from "./base64.ts";
import type { OtherMessage, Refusal } from "./signaling.ts";
import { changeOf, partsOf, type TextChange } from "./text-change.ts";

/** The name of the text within the document. */
const TEXT = "notes";
/** Where changes come from. */
const HERE = "here";
const ROOM = "room";
/** What is sent at once: within the room's limits, and so is each part of it. */
const MOST_BYTES = (MAX_NOTES_UPDATE_BYTES * 3) / 4;
const MOST_UPDATES = 200;
const PART = 4_000;
/** One update every so often is what the room takes in the long run. */
const SEND_EVERY_MS = 250;
const POINT_EVERY_MS = 500;

export interface NotesState {
  /** Whether they can be read and written: once the room has shown them, also while the connection is lost. */
  readonly open: boolean;
  /** Whether the room has all that was written here. */
  readonly saved: boolean;
  /** In which line the others are, the first is 1. */
  readonly lines: ReadonlyMap<ParticipantId, number>;
  /** Whether there are none to be had here: the room knows nothing of notes. */
  readonly absent: boolean;
  /** What was written here and could not be taken, as the whole text was then; and why. */
  readonly untaken: { readonly text: string; readonly why: string } | null;
}

/** Told what others have changed, in order; `null` when the text is another altogether. */
export type NotesListener = (changes: readonly TextChange[] | null) => void;

/** The notes while they are open. */
export class NotesDocument {
  readonly #send: (message: ClientMessage) => boolean;
  readonly #state = new Store<NotesState>({
    open: false,
    saved: true,
    lines: new Map(),
    absent: false,
    untaken: null,
  });
  readonly #listeners = new Set<NotesListener>();
  #doc: Doc;
  #undo: UndoManager;
  /** Whom one writes as, and the number of the latest update that is known. */
  #author: number | null = null;
  #edition: number | null = null;
  #number = 0;
  /** What the room does not have: not sent, and sent and not acknowledged. */
  #unsent: Uint8Array[] = [];
  #sent: { nonce: string; updates: Uint8Array[] } | null = null;
  #sentAt = Number.NEGATIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #opening: ReturnType<typeof setTimeout> | undefined;
  /** Updates of others that wait while something is composed. */
  #held: string[] | null = null;
  #isShown = true;
  /** Whether the room tells what is written. */
  #listens = false;
  readonly #places = new Map<ParticipantId, string>();
  #place: { at: number | null } | null = null;
  #pointing: ReturnType<typeof setTimeout> | undefined;

  constructor(send: (message: ClientMessage) => boolean) {
    this.#send = send;
    [this.#doc, this.#undo] = this.#fresh();
  }

  get state(): Readable<NotesState> {
    return this.#state;
  }

  get text(): string {
    return this.#doc.getText(TEXT).toString();
  }

  /** Hears what others change, until the function that is returned is called. */
  listen(listener: NotesListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The text is this now in the field where one writes, and the caret stands there. */
  write(text: string, caret: number): void {
    if (!this.#state.get().open) return;
    const { at, removed, inserted } = changeOf(this.text, text, caret);
    // In parts, of which none is more than the room takes; for who writes, they are one.
    for (let left = removed; left > 0; left -= PART) {
      const length = Math.min(left, PART);
      this.#change(() => this.#doc.getText(TEXT).delete(at + left - length, length));
    }
    let place = at;
    for (const part of partsOf(inserted, PART)) {
      this.#change(() => this.#doc.getText(TEXT).insert(place, part));
      place += part.length;
    }
  }

  /** Takes back what was written here last, or takes that back. */
  readonly undo = (): void => void this.#undo.undo();
  readonly redo = (): void => void this.#undo.redo();

  /** While something is composed (an input method), what others write waits. */
  hold(): void {
    this.#held ??= [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const update of held) this.#apply(update);
  }

  /** Where one is in the text, for the others to know; `null` if one is not in it any more. */
  point(at: number | null): void {
    this.#place = { at };
    this.#pointing ??= setTimeout(() => this.#tellPlace(), POINT_EVERY_MS);
  }

  /** What was not taken is not needed any more. */
  readonly dismiss = (): void => this.#state.patch({ untaken: null });

  /** Shows the notes no more. What is not sent yet still is. */
  readonly close = (): void => {
    this.#isShown = false;
    clearTimeout(this.#pointing);
    this.#pointing = undefined;
    if (this.#listens) this.#send({ type: "pointInNotes", at: null });
    this.#places.clear();
    this.#settle();
  };

  /** For the call: it is about to end. What is not sent yet goes now. */
  flush(): void {
    while (this.#listens && this.#unsent.length > 0) if (!this.#sendNext()) return;
  }

  /** For the call: the notes are shown, from now on or again. */
  open(listens: boolean): void {
    this.#isShown = true;
    if (listens && !this.#listens) this.#ask();
  }

  /** For the call: the room listens, from now on or again. */
  welcome(): void {
    this.#listens = false;
    this.#places.clear();
    this.#unsend();
    if (this.#isShown || this.#unsent.length > 0) this.#ask();
  }

  receive(message: OtherMessage): void {
    switch (message.type) {
      case "notes":
        return this.#page(message);
      case "notesWritten":
        return this.#written(message.number, message.update);
      case "notesRewritten":
        return this.#ask();
      case "notesTaken":
        return this.#taken(message.nonce, message.number);
      case "notesPointer":
        return this.#points(message);
      case "error":
        return this.#refused(message);
    }
  }

  left(participant: ParticipantId): void {
    if (this.#places.delete(participant)) this.#look();
  }

  end(): void {
    for (const timer of [this.#timer, this.#opening, this.#pointing]) clearTimeout(timer);
    this.#listeners.clear();
    this.#doc.destroy();
  }

  /** From nothing: what the room has follows. */
  #begin(): void {
    this.#doc.destroy();
    this.#number = 0;
    this.#unsent = [];
    this.#sent = null;
    [this.#doc, this.#undo] = this.#fresh();
  }

  #fresh(): [Doc, UndoManager] {
    const doc = new Doc();
    if (this.#author !== null) doc.clientID = this.#author;
    const text = doc.getText(TEXT);
    text.observe(({ delta }, { origin }) => {
      if (origin !== HERE) this.#tell(changesOf(delta));
    });
    doc.on("update", (update: Uint8Array, origin: unknown) => {
      if (origin === ROOM) return;
      this.#unsent.push(update);
      this.#settle();
    });
    return [doc, new UndoManager(text, { trackedOrigins: new Set([HERE]) })];
  }

  #change(change: () => void): void {
    this.#doc.transact(change, HERE);
  }

  #ask(): void {
    clearTimeout(this.#opening);
    this.#send({ type: "openNotes", after: this.#number, author: this.#author });
  }

  #page({ author, edition, number, updates }: NotesPage): void {
    const isRewritten = this.#edition !== null && edition !== this.#edition;
    this.#edition = edition;
    if (isRewritten) {
      this.#lose("The notes were full and were written anew.");
      this.#author = author;
      // The page has all of it.
      this.#begin();
    } else if (author !== this.#author && this.#author !== null && !this.#hasWritten(this.#author)) {
      // Of who has only read, nothing is there that another could not go on with.
      this.#author = author;
      this.#doc.clientID = author;
    } else if (author !== this.#author) {
      const isFirst = this.#author === null;
      if (!isFirst) this.#lose("They were away for too long.");
      this.#author = author;
      const known = this.#number;
      this.#begin();
      if (known > 0) return this.#ask();
    }
    this.#listens = true;
    for (const update of updates) this.#take(update);
    this.#number = number;
    if (!this.#state.get().open) this.#tell(null);
    this.#state.patch({ open: true, absent: false });
    this.#settle();
  }

  #written(number: number, update: string): void {
    if (number <= this.#number) return;
    // A hole in the numbers: the room tells what is missing.
    if (number !== this.#number + 1) return this.#ask();
    this.#number = number;
    this.#take(update);
    this.#look();
  }

  #taken(nonce: string, number: number): void {
    if (this.#sent?.nonce === nonce) this.#sent = null;
    if (number > this.#number + 1) return this.#ask();
    this.#number = Math.max(this.#number, number);
    this.#settle();
  }

  #refused({ of, nonce, retryAfterMs, message }: Refusal): void {
    if (of === "openNotes") {
      if (retryAfterMs === null) this.#state.patch({ absent: true });
      else this.#opening = setTimeout(() => this.#ask(), retryAfterMs);
    }
    if (of !== "writeNotes" || this.#sent === null || nonce !== this.#sent.nonce) return;
    if (retryAfterMs !== null) {
      this.#unsend();
      this.#sentAt = performance.now() + retryAfterMs - SEND_EVERY_MS;
      return this.#settle();
    }
    this.#lose(message);
    // As somebody new: of what this one has written, some is stored and some is not.
    this.#author = null;
    this.#begin();
    this.#ask();
  }

  #hasWritten(as: number): boolean {
    return this.#unsent.length > 0 || this.#sent !== null || getState(this.#doc.store, as) > 0;
  }

  /** What was written here is not taken: it is shown as it was, and the room's text takes its place. */
  #lose(why: string): void {
    if (this.#unsent.length > 0 || this.#sent !== null)
      this.#state.patch({ untaken: { text: this.text, why } });
    this.#state.patch({ open: false });
  }

  /** What was sent and not acknowledged goes again. */
  #unsend(): void {
    this.#unsent = [...(this.#sent?.updates ?? []), ...this.#unsent];
    this.#sent = null;
  }

  #take(update: string): void {
    if (this.#held !== null) this.#held.push(update);
    else this.#apply(update);
  }

  #apply(update: string): void {
    applyUpdate(this.#doc, fromBase64(update), ROOM);
  }

  /** Sends what there is to send, if it is time, and tells how things stand. */
  #settle(): void {
    clearTimeout(this.#timer);
    const wait = this.#sentAt + SEND_EVERY_MS - performance.now();
    if (this.#listens && this.#sent === null && this.#unsent.length > 0) {
      if (wait > 0) this.#timer = setTimeout(() => this.#settle(), wait);
      else this.#sendNext();
    }
    this.#look();
    const { saved } = this.#state.get();
    if (saved && !this.#isShown && this.#listens) {
      this.#send({ type: "closeNotes" });
      this.#listens = false;
    }
  }

  #sendNext(): boolean {
    let bytes = 0;
    const count = this.#unsent.findIndex((update, place) => {
      bytes += update.length;
      return place > 0 && (bytes > MOST_BYTES || place >= MOST_UPDATES);
    });
    const updates = this.#unsent.slice(0, count < 0 ? undefined : count);
    const nonce = crypto.randomUUID();
    const update = toBase64(mergeUpdates(updates));
    // What does not go is sent after the next welcome.
    if (!this.#send({ type: "writeNotes", nonce, update })) return false;
    this.#unsent = this.#unsent.slice(updates.length);
    this.#sent = { nonce, updates };
    this.#sentAt = performance.now();
    return true;
  }

  #points({ participant, at }: NotesPointer): void {
    if (at === null) this.#places.delete(participant);
    else this.#places.set(participant, at);
    this.#look();
  }

  #tellPlace(): void {
    this.#pointing = undefined;
    const at = this.#place?.at ?? null;
    if (!this.#listens) return;
    const place = at === null ? null : createRelativePositionFromTypeIndex(this.#doc.getText(TEXT), at, -1);
    this.#send({
      type: "pointInNotes",
      at: place === null ? null : toBase64(encodeRelativePosition(place)),
    });
  }

  #tell(changes: readonly TextChange[] | null): void {
    for (const listener of this.#listeners) listener(changes);
  }

  #look(): void {
    const saved = this.#unsent.length === 0 && this.#sent === null;
    this.#state.patch({ saved, lines: this.#lines() });
  }

  #lines(): ReadonlyMap<ParticipantId, number> {
    const lines = new Map<ParticipantId, number>();
    if (this.#places.size === 0) return lines;
    const { text } = this;
    for (const [participant, at] of this.#places) {
      const index = this.#indexOf(at);
      if (index !== null) lines.set(participant, text.slice(0, index).split("\n").length);
    }
    return lines;
  }

  /** Where a place is now; `null` if it is none, or not yet. */
  #indexOf(at: string): number | null {
    try {
      const place = decodeRelativePosition(fromBase64(at));
      return createAbsolutePositionFromRelativePosition(place, this.#doc)?.index ?? null;
    } catch {
      return null;
    }
  }
}

/** What Yjs tells of a change, as changes of a text one after the other. */
function changesOf(
  delta: readonly { insert?: unknown; delete?: number | undefined; retain?: number | undefined }[],
): readonly TextChange[] {
  const changes: TextChange[] = [];
  let at = 0;
  for (const { insert, delete: removed = 0, retain = 0 } of delta) {
    const inserted = typeof insert === "string" ? insert : "";
    if (inserted !== "" || removed > 0) changes.push({ at, removed, inserted });
    at += retain + inserted.length;
  }
  return changes;
}
