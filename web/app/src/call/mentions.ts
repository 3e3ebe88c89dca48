// Mentions while one writes: who may be meant by an `@` and the beginning of a name, and who is mentioned in the end.
import type { Participant, UserId } from "@connect/sdk";

type Named = Pick<Participant, "user" | "name">;

/** More are not offered at a time: a longer beginning has fewer. */
const MOST_NAMES = 5;
/** More does a line not take. */
const MOST_MENTIONS = 20;

/** The beginning of a name at the end of a text. */
const BEGUN = /(?:^|\s)@([^@\n]{0,60})$/;

/** The names that begin as the text ends, after an `@`. */
export function namesFor(text: string, people: readonly Named[]): readonly string[] {
  const begun = BEGUN.exec(text)?.[1]?.toLocaleLowerCase();
  if (begun === undefined) return [];
  const names = people.map(({ name }) => name);
  const fits = names.filter(
    (name) => name.toLocaleLowerCase().startsWith(begun) && name.length > begun.length,
  );
  return [...new Set(fits)].slice(0, MOST_NAMES);
}

/** The text with the name in the place of its beginning. */
export function endWith(text: string, name: string): string {
  return `${text.slice(0, text.lastIndexOf("@"))}@${name} `;
}

/** The users whose names stand in a text, after an `@`. */
export function mentionedIn(text: string, people: readonly Named[]): UserId[] {
  const users = people.filter(({ name }) => text.includes(`@${name}`)).map(({ user }) => user);
  return [...new Set(users)].slice(0, MOST_MENTIONS);
}
