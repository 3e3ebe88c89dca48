// What stands for somebody without a picture: letters of the name, and a tint.

/** Letters as people see them: an accent, a vowel sign or a joined emoji is a part of one. Absent in older browsers. */
const LETTERS = "Segmenter" in Intl ? new Intl.Segmenter(undefined, { granularity: "grapheme" }) : null;

/** Two letters at most to stand for a name. */
export function initialsOf(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const picked = words.length > 1 ? [words[0], words.at(-1)] : words;
  return picked.map((word) => firstLetter(word ?? "").toLocaleUpperCase()).join("") || "?";
}

function firstLetter(word: string): string {
  if (LETTERS === null) return /^.\p{M}*/su.exec(word)?.[0] ?? "";
  return LETTERS.segment(word)[Symbol.iterator]().next().value?.segment ?? "";
}

/** One of `count` tints, the same for a participant everywhere. */
export function tintOf(id: string, count: number): number {
  const hash = [...id].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 65_521, 7);
  return hash % count;
}
