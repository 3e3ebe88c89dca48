// Errors in words that a person can act on.
import { ApiError, NetworkError } from "@connect/sdk";

/** What went wrong, and where possible what to do. */
export function wordsOf(error: unknown): string {
  if (error instanceof ApiError || error instanceof NetworkError) return sentence(error.message);
  return "Something went wrong on our side. Please try again.";
}

/** The API speaks in clauses that fit anywhere; a page speaks in sentences. */
export function sentence(clause: string): string {
  const [first = "", ...rest] = clause;
  const text = first.toLocaleUpperCase() + rest.join("");
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}
