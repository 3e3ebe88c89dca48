// What the Durable Objects have on disk: SQLite files, to be opened while workerd is away.
import { createHash, createHmac } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

export class Disk {
  constructor(readonly folder: string) {}

  /** Works on the file of the object of this class that has a record of this kind, of this name, and with this in it. */
  object<T>(
    className: string,
    [kind, name, part]: [kind: string, name: string, part?: string],
    work: (database: DatabaseSync) => T,
  ): T {
    const folder = readdirSync(this.folder).find((entry) => entry.endsWith(className)) ?? "";
    const files = readdirSync(join(this.folder, folder)).filter((file) => file.endsWith(".sqlite"));
    for (const file of files) {
      const database = new DatabaseSync(join(this.folder, folder, file));
      try {
        const table = "SELECT 1 FROM sqlite_master WHERE name = 'records'";
        const record = "SELECT 1 FROM records WHERE kind = ? AND name = ? AND instr(value, ?)";
        const fits = database.prepare(table).get() && database.prepare(record).get(kind, name, part ?? "");
        if (fits) return work(database);
      } finally {
        database.close();
      }
    }
    throw new Error(`no ${className} has a record ${kind} ${name} ${part}`);
  }

  /** Works on the file of the object of this class that has this name, and need not be there yet. */
  named<T>(className: string, name: string, work: (database: DatabaseSync) => T): T {
    const folder = readdirSync(this.folder).find((entry) => entry.endsWith(className)) ?? "";
    // How workerd derives an id from a name.
    const key = createHash("sha256").update(folder).digest();
    const half = (of: string | Buffer) => createHmac("sha256", key).update(of).digest().subarray(0, 16);
    const id = Buffer.concat([half(name), half(half(name))]).toString("hex");
    const database = new DatabaseSync(join(this.folder, folder, `${id}.sqlite`));
    try {
      return work(database);
    } finally {
      database.close();
    }
  }

  /** The file of the shard of the directory that knows this room. */
  directory<T>(room: string, work: (database: DatabaseSync) => T): T {
    return this.named("DirectoryObject", shardOf(room), work);
  }

  /** The file of the room that this participant is in. */
  room<T>(participant: string, work: (database: DatabaseSync) => T): T {
    return this.object("RoomObject", ["person", participant], work);
  }
}

/** The shard of the directory that knows a room, by its name. */
export function shardOf(room: string): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(room)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return String(hash % 16);
}
