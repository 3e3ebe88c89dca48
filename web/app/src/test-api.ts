// For tests: an API client whose server is a table of answers, and what was asked of it.
import { Api } from "@connect/sdk";

/** Status and body of an answer, by `METHOD /path`. */
export type Answers = Record<string, readonly [status: number, body?: unknown]>;

export const ANN = { id: "u1", email: "ann@example.com", name: "Ann Okafor" };
export const SESSION = { token: "t", expiresIn: 3600, user: ANN };

export function problem(status: number, detail: string, errors?: { field: string; message: string }[]) {
  return [status, { type: "/problems/x", title: "Title", status, detail, errors }] as const;
}

export function apiWith(answers: Answers): { api: Api; asked: { path: string; body: unknown }[] } {
  const asked: { path: string; body: unknown }[] = [];
  const fetch = async (input: RequestInfo | URL, init?: RequestInit) => {
    const path = `${init?.method} ${input}`;
    asked.push({ path, body: typeof init?.body === "string" ? JSON.parse(init.body) : undefined });
    const [status, body] = answers[path] ?? [404, { title: "Not found", detail: path, status: 404 }];
    return new Response(body === undefined ? null : JSON.stringify(body), { status });
  };
  return { api: new Api({ fetch }), asked };
}
