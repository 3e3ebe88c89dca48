// The least that makes one text of another, as somebody who types has done it.

/** At `at`, so many characters go and these come. */
export interface TextChange {
  readonly at: number;
  readonly removed: number;
  readonly inserted: string;
}

/**
 * What has become of a text in a field whose caret stands at `caret` afterwards: of several changes that come to the same, the one
 * at the caret. No character of two units is cut in two.
 */
export function changeOf(before: string, after: string, caret: number): TextChange {
  const most = Math.min(before.length, after.length, Math.max(0, after.length - caret));
  let end = 0;
  while (end < most && before[before.length - 1 - end] === after[after.length - 1 - end]) end += 1;
  if (end > 0 && isLow(before, before.length - end)) end -= 1;
  const rest = Math.min(before.length, after.length) - end;
  let at = 0;
  while (at < rest && before[at] === after[at]) at += 1;
  if (at > 0 && (isLow(before, at) || isLow(after, at))) at -= 1;
  return { at, removed: before.length - end - at, inserted: after.slice(at, after.length - end) };
}

/** A text in parts of at most so many units, none of which ends in the middle of a character. */
export function partsOf(text: string, most: number): string[] {
  const parts: string[] = [];
  for (let from = 0; from < text.length; ) {
    let to = Math.min(text.length, from + most);
    if (isLow(text, to)) to -= 1;
    parts.push(text.slice(from, to));
    from = to;
  }
  return parts;
}

/** Whether the second half of a surrogate pair stands here. */
function isLow(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit <= 0xdfff;
}
