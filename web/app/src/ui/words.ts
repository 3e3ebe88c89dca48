// Errors in words that a person can act on.
import { ApiError, NetworkError } from "@connect/sdk";

/** What went wrong, and where possible what to do. */
export function wordsOf(error: unknown): string {
  if (error instanceof ApiError && error.retryAfter !== null) {
    return `${error.message} Try again ${inWords(error.retryAfter)}.`;
  }
  if (error instanceof ApiError || error instanceof NetworkError) return error.message;
  return "Something went wrong on our side. Please try again.";
}

function inWords(seconds: number): string {
  if (seconds < 90) return `in ${Math.ceil(seconds)} ${seconds === 1 ? "second" : "seconds"}`;
  return `in ${Math.ceil(seconds / 60)} minutes`;
}
