// What an earlier build has stored, as it is kept for later ones.
import { readdirSync, readFileSync } from "node:fs";

export interface Former {
  /** CONNECT_ID_KEY. */
  key: string;
  /** When it was kept, in Unix milliseconds. */
  at: number;
  room: string;
  /** The host, and what admits their client. */
  you: string;
  resume: string;
  email: string;
  users: Record<string, string>;
  knocking: string;
  /** How many deeds are noted. */
  audit: number;
  /** By file: what makes it. */
  objects: Record<string, string[]>;
}

/** Where the first releases kept everything, as JSON. */
export const RECORDS =
  "CREATE TABLE IF NOT EXISTS records (kind TEXT, name TEXT, value TEXT NOT NULL, PRIMARY KEY (kind, name)) WITHOUT ROWID, STRICT";

const folder = new URL("former/", import.meta.url);

/** What was kept, by name, as if it had been just now: what was to hold for a minute holds for a minute. */
export const FORMER = readdirSync(folder).map((file): [string, Former] => {
  const text = readFileSync(new URL(file, folder), "utf8");
  const { at }: Former = JSON.parse(text);
  const shifted = text.replaceAll(/\b\d{13}\b/g, (time) => `${Number(time) + Date.now() - at}`);
  return [file.replace(".json", ""), JSON.parse(shifted)];
});
