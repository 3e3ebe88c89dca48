// The shared notes as Yjs has them: what an update says beside what there is, and what all of them make.
import {
  applyUpdate,
  ContentDeleted,
  ContentString,
  Doc,
  decodeUpdate,
  encodeStateAsUpdate,
  getItem,
  getState,
  Item,
} from "yjs";

/** The name of the text. Whatever has another is not in the notes. */
const TEXT = "notes";

export class Book {
  #doc = new Doc();
  #text = this.#doc.getText(TEXT);

  /** Takes an update that is stored. Whatever waits in it for something else is not waited for. */
  load(update) {
    applyUpdate(this.#doc, update);
    Object.assign(this.#doc.store, { pendingStructs: null, pendingDs: null });
  }

  /** Takes a new update. Throws if it cannot be taken as a whole: this book is of no use any more. */
  apply(update) {
    applyUpdate(this.#doc, update);
    const { pendingStructs, pendingDs } = this.#doc.store;
    if (pendingStructs !== null || pendingDs !== null) throw new Error("a part of it would wait for ever");
  }

  /** All updates as one. Deleted text is not in it. */
  state() {
    return encodeStateAsUpdate(this.#doc);
  }

  text() {
    return this.#text.toString();
  }

  /** The text alone, as this author's, with nothing of how it came to be. */
  rewritten(author) {
    const anew = new Book();
    anew.#doc.clientID = author;
    anew.#text.insert(0, this.text());
    return anew.state();
  }

  /**
   * What an update says, as JSON (`edge_core::notes::Facts`); `null` if it is none. One of more pieces than `mostPieces`
   * is too long to look into, and beyond `mostSteps` nothing is counted.
   */
  read(update, mostPieces, mostSteps) {
    try {
      return JSON.stringify(this.#facts(decodeUpdate(update), isWhole(update), mostPieces, mostSteps));
    } catch {
      return "null";
    }
  }

  #facts({ structs, ds }, isWhole, mostPieces, mostSteps) {
    const author = structs[0]?.id.client ?? null;
    const known = author === null ? 0 : this.#end(author);
    const from = structs[0]?.id.clock ?? 0;
    const last = structs.at(-1);
    const to = last === undefined ? 0 : last.id.clock + last.length;
    const isText =
      isWhole &&
      structs.every(
        (struct, place) =>
          struct.id.client === author && isPiece(struct) && follows(struct, structs[place - 1]),
      ) &&
      [...ds.clients.values()].flat().every(({ len }) => len > 0);
    const isThere = ({ client, clock }, own) => clock < (client === author ? own : this.#end(client));
    const isFounded =
      structs.every(({ id, origin, rightOrigin }) =>
        [origin, rightOrigin].every((beside) => beside === null || isThere(beside, id.clock)),
      ) &&
      [...ds.clients].every(([client, ranges]) =>
        ranges.every(({ clock, len }) => isThere({ client, clock: clock + len - 1 }, Math.max(known, to))),
      );
    const isSought = isText && isFounded && from <= known && structs.length <= mostPieces;
    const steps = isSought ? this.#steps(structs, author, known, mostSteps) : 0;
    const deletes = ds.clients.size > 0;
    return {
      is_text: isText,
      author,
      from,
      to,
      known,
      is_founded: isFounded,
      deletes,
      pieces: structs.length,
      steps,
    };
  }

  /** How many characters an author has written so far. */
  #end(author) {
    return getState(this.#doc.store, author);
  }

  /**
   * How many pieces stand between the two that each new one is put between: among these everybody has to seek its place. Of those
   * that are new themselves, it is what they were put between.
   */
  #steps(structs, author, known, most) {
    const gaps = [];
    let steps = 0;
    for (const { id, length, origin, rightOrigin } of structs) {
      if (id.clock + length <= known) continue;
      const gapOf = ({ client, clock }) => {
        if (client !== author || clock < known) return null;
        return gaps.findLast((gap) => clock >= gap.clock && clock < gap.clock + gap.length) ?? null;
      };
      const left = origin === null ? null : gapOf(origin);
      const right = rightOrigin === null ? null : gapOf(rightOrigin);
      const gap = {
        clock: id.clock,
        length,
        origin: left === null ? origin : left.origin,
        rightOrigin: right === null ? rightOrigin : right.rightOrigin,
      };
      // What follows the one before has its place at once; any other may have to be sought among all that are new.
      const isNext = origin?.client === author && origin.clock === id.clock - 1;
      steps += this.#between(gap, most - steps) + (isNext ? 0 : gaps.length);
      if (steps >= most) return most;
      gaps.push(gap);
    }
    return steps;
  }

  #between({ origin, rightOrigin }, most) {
    const { store } = this.#doc;
    const first = origin === null ? null : getItem(store, origin);
    const end = rightOrigin === null ? null : getItem(store, rightOrigin);
    if (first !== null && first === end) return 0;
    let steps = 0;
    for (
      let item = first === null ? this.#text._start : first.right;
      item && item !== end;
      item = item.right
    ) {
      if (++steps >= most) break;
    }
    return steps;
  }
}

/**
 * Whether all pieces of an update are in one part, as they are of one author: of two parts of the same author Yjs takes the
 * second alone. How many there are comes first.
 */
function isWhole(update) {
  return update[0] <= 1;
}

/** Whether a piece begins where the one before ends. */
function follows({ id }, before) {
  return before === undefined || id.clock === before.id.clock + before.length;
}

/** Whether this is text in the notes, or some that was deleted. Among pieces of no length, Yjs finds nothing any more. */
function isPiece(struct) {
  if (!(struct instanceof Item) || struct.parentSub !== null || !(struct.length > 0)) return false;
  if (struct.parent !== null && struct.parent !== TEXT) return false;
  if (struct.content instanceof ContentDeleted) return true;
  // A page would show it as another sign, and count anew.
  return struct.content instanceof ContentString && !struct.content.str.includes("\r");
}
