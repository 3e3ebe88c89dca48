// The text of a line of chat: links lead out, mentions stand out, and all else is text.
import type { Mention } from "@connect/sdk";
import { Fragment, type ReactNode } from "react";

/** No trailing punctuation: it belongs to the sentence. */
const LINK = /https:\/\/[^\s<>"]*[^\s<>"'.,:;!?)\]}]/g;

interface Part {
  readonly text: string;
  readonly kind: "text" | "link" | "mention";
}

/** The parts of a text, in order; together they are the text. */
export function partsOf(text: string, mentions: readonly Mention[] = []): readonly Part[] {
  const parts: Part[] = [];
  let at = 0;
  for (const match of text.matchAll(LINK)) {
    if (!URL.canParse(match[0])) continue;
    parts.push(...namesIn(text.slice(at, match.index), mentions), { text: match[0], kind: "link" });
    at = match.index + match[0].length;
  }
  return [...parts, ...namesIn(text.slice(at), mentions)];
}

function namesIn(text: string, mentions: readonly Mention[]): readonly Part[] {
  if (text === "") return [];
  // The longest first: one name may begin another.
  const names = mentions.map(({ name }) => `@${name}`).sort((a, b) => b.length - a.length);
  const [at, name] = names
    .map((name): [number, string] => [text.indexOf(name), name])
    .filter(([at]) => at >= 0)
    .sort(([a], [b]) => a - b)[0] ?? [-1, ""];
  if (at < 0) return [{ text, kind: "text" }];
  const before: readonly Part[] = at === 0 ? [] : [{ text: text.slice(0, at), kind: "text" }];
  return [...before, { text: name, kind: "mention" }, ...namesIn(text.slice(at + name.length), mentions)];
}

export function LineText({
  text,
  mentions,
}: {
  text: string;
  mentions?: readonly Mention[] | undefined;
}): ReactNode {
  return partsOf(text, mentions).map(({ text, kind }, index) => {
    // The parts of one text never move.
    const key = index;
    if (kind === "text") return <Fragment key={key}>{text}</Fragment>;
    if (kind === "mention") return <mark key={key}>{text}</mark>;
    return (
      <a key={key} href={text} target="_blank" rel="noopener noreferrer nofollow">
        {text}
      </a>
    );
  });
}
