// What the Durable Objects have on disk: SQLite files, to be opened while workerd is away.
import { createHash, createHmac } from "node:crypto";
import { mkdirSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync, type SQLOutputValue } from "node:sqlite";

export class Disk {
  constructor(readonly folder: string) {}

  /** Works on the file of the object of this class that has a row with this value in this table. */
  object<T>(
    className: string,
    [table, value]: [table: string, value: string],
    work: (database: DatabaseSync) => T,
  ): T {
    for (const file of this.#files(className)) {
      const database = new DatabaseSync(join(this.folder, file));
      try {
        const exists = database.prepare("SELECT 1 FROM sqlite_master WHERE name = ?").get(table);
        const rows = exists ? database.prepare(`SELECT * FROM ${table}`).all() : [];
        if (rows.some((row) => Object.values(row).includes(value))) return work(database);
      } finally {
        database.close();
      }
    }
    throw new Error(`no ${className} has ${value} in ${table}`);
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
    return this.object("RoomObject", ["people", participant], work);
  }

  /** What makes each file anew, but for what workerd keeps for itself. */
  dump(): Record<string, string[]> {
    const literal = (value: SQLOutputValue) =>
      typeof value === "string" ? `'${value.replaceAll("'", "''")}'` : `${value}`;
    const made = this.#files("Object").map((file): [string, string[]] => {
      const database = new DatabaseSync(join(this.folder, file));
      const made = database
        .prepare(
          "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE '\\_cf%' ESCAPE '\\' AND sql NOT NULL",
        )
        .all()
        .filter(({ name }) => name !== "sqlite_sequence");
      const of = (type: string) => made.filter((entry) => entry.type === type);
      const rows = of("table").flatMap(({ name }) =>
        database
          .prepare(`SELECT * FROM ${name}`)
          .all()
          .map((row) => `INSERT INTO ${name} VALUES (${Object.values(row).map(literal).join(", ")})`),
      );
      const sql = (entries: typeof made) => entries.map(({ sql }) => `${sql}`);
      database.close();
      return [file, [...sql(of("table")), ...rows, ...sql(of("index")), ...sql(of("trigger"))]];
    });
    return Object.fromEntries(made.filter(([, statements]) => statements.length > 0));
  }

  /** Makes files from what [`dump`] gave. */
  load(files: Record<string, string[]>): void {
    for (const [file, statements] of Object.entries(files)) {
      mkdirSync(join(this.folder, dirname(file)), { recursive: true });
      const database = new DatabaseSync(join(this.folder, file));
      for (const statement of statements) database.exec(statement);
      database.close();
    }
  }

  /** Works on each file of a class. */
  each(className: string, work: (database: DatabaseSync) => void): void {
    for (const file of this.#files(className)) {
      const database = new DatabaseSync(join(this.folder, file));
      work(database);
      database.close();
    }
  }

  #files(className: string): string[] {
    const folders = readdirSync(this.folder).filter((entry) => entry.endsWith(className));
    return folders.flatMap((folder) => {
      const files = readdirSync(join(this.folder, folder)).filter((file) =>
        /^[0-9a-f]{64}\.sqlite$/.test(file),
      );
      return files.map((file) => join(folder, file)).sort();
    });
  }
}

/** The shard of the directory that knows a room, by its name. */
export function shardOf(room: string): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(room)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return String(hash % 16);
}
