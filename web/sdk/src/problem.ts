// What can go wrong with a request, as types and in words.
import type { FieldError, Problem } from "./generated/protocol.ts";

/** The API refused a request (RFC 9457). `message` is fit to be shown. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly problem: Problem;
  /** Seconds to wait before the next try, when the API said so (`Retry-After`). */
  readonly retryAfter: number | null;

  constructor(problem: Problem, retryAfter: number | null = null) {
    super(problem.detail || problem.title);
    this.problem = problem;
    this.retryAfter = retryAfter;
  }

  get status(): number {
    return this.problem.status;
  }

  /** What is wrong with one field of the request, if anything. */
  field(name: string): string | undefined {
    return this.problem.errors?.find((error: FieldError) => error.field === name)?.message;
  }
}

/** No answer came: offline, or the server is away. */
export class NetworkError extends Error {
  override readonly name: string = "NetworkError";

  constructor(cause?: unknown, message = "Connect could not be reached. Check your network and try again.") {
    super(message, { cause });
  }
}

/** No answer came within the time that a request may take. */
export class TimeoutError extends NetworkError {
  override readonly name = "TimeoutError";

  constructor(milliseconds: number) {
    const seconds = Math.round(milliseconds / 1000);
    super(undefined, `Connect did not answer within ${seconds} seconds. Check your network and try again.`);
  }
}

/** Reads a refusal, whatever its body is: a proxy in between may answer with HTML. */
export async function problemOf(response: Response): Promise<ApiError> {
  const seconds = Number(response.headers.get("retry-after"));
  const retryAfter = Number.isFinite(seconds) && seconds > 0 ? seconds : null;
  const body: unknown = await response.json().catch(() => null);
  const problem = isProblem(body)
    ? body
    : {
        type: "about:blank",
        title: response.statusText || "Error",
        status: response.status,
        detail: `The server answered with status ${response.status}.`,
      };
  return new ApiError(problem, retryAfter);
}

function isProblem(body: unknown): body is Problem {
  if (typeof body !== "object" || body === null) return false;
  const { title, detail, status } = body as Partial<Problem>;
  return typeof title === "string" && typeof detail === "string" && typeof status === "number";
}

/** Milliseconds until another try is of use; null if none is. */
export function retryAfter(error: unknown): number | null {
  if (!mayPass(error)) return null;
  return error instanceof ApiError ? (error.retryAfter ?? 0) * 1_000 : 0;
}

/**
 * Whether what failed may succeed later without anything else done here: the network, the server and a limit come back, and
 * so does a session, once its user has signed in again in another tab.
 */
function mayPass(error: unknown): boolean {
  return !(error instanceof ApiError) || error.status >= 500 || error.status === 429 || error.status === 401;
}

/** Why a request was refused. */
export type Reason = (error: unknown) => boolean;
export const UNAUTHORIZED: Reason = (error) => error instanceof ApiError && error.status === 401;
export const OTHER_ACCOUNT: Reason = (error) =>
  error instanceof ApiError && error.problem.type === "/problems/other-account";

/** The answer, or null where it was refused for this reason. */
export async function unless<T>(reason: Reason, answer: Promise<T>): Promise<{ readonly value: T } | null> {
  try {
    return { value: await answer };
  } catch (error) {
    if (reason(error)) return null;
    throw error;
  }
}
