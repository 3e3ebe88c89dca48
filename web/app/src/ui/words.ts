// Errors in words that a person can act on.
import { ApiError, NetworkError } from "@connect/sdk";

/** What went wrong, and where possible what to do. */
export function wordsOf(error: unknown): string {
  if (error instanceof ApiError || error instanceof NetworkError) return sentence(error.message);
  return "Something went wrong on our side. Please try again.";
}

/** Letters that are written from the right, and marks that turn what is around them. */
const TURNS =
  /[\u0590-\u08ff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/**
 * Somebody's words within a text of ours where there is no `<bdi>` (a label, a title): their direction stays their own
 * (FIRST STRONG ISOLATE … POP DIRECTIONAL ISOLATE).
 */
export function isolated(text: string): string {
  return TURNS.test(text) ? `\u2068${text}\u2069` : text;
}

/** The API speaks in clauses that fit anywhere; a page speaks in sentences. */
export function sentence(clause: string): string {
  const [first = "", ...rest] = clause;
  const text = first.toLocaleUpperCase() + rest.join("");
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}
