// The API client against a real HTTP server: sessions, their renewal, and problems in words.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { Api } from "../src/api.ts";
import { ApiError, NetworkError } from "../src/problem.ts";

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

let server: Server | undefined;

async function serve(handler: Handler): Promise<{ api: Api; requests: string[] }> {
  const requests: string[] = [];
  const listening = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    requests.push(`${request.method} ${request.url} ${request.headers.authorization ?? "-"}`);
    handler(request, response, Buffer.concat(chunks).toString());
  });
  await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
  server = listening;
  const { port } = listening.address() as AddressInfo;
  return { api: new Api({ origin: `http://127.0.0.1:${port}` }), requests };
}

function answer(response: ServerResponse, status: number, body?: unknown, headers = {}): void {
  response.writeHead(status, { "content-type": "application/json", connection: "close", ...headers });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}

const session = (token: string) => ({
  token,
  expiresIn: 3600,
  user: { id: "u", email: "a@b.c", name: "Ann" },
});
const problem = (status: number, detail: string) => ({ type: "/problems/x", title: "Title", status, detail });

afterEach(async () => {
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  server = undefined;
});

describe("the API client", () => {
  it("renews the token once for many requests that it refused, and repeats them", async () => {
    const { api, requests } = await serve((request, response) => {
      if (request.url === "/api/auth/login") return answer(response, 200, session("old"));
      if (request.url === "/api/auth/refresh") return answer(response, 200, session("new"));
      if (request.headers.authorization !== "Bearer new")
        return answer(response, 401, problem(401, "expired"));
      answer(response, 200, { rooms: [] });
    });
    await api.login({ email: "a@b.c", password: "secret" });
    expect(await Promise.all([api.rooms(), api.rooms(), api.rooms()])).toEqual([[], [], []]);
    expect(requests.filter((line) => line.includes("refresh"))).toEqual(["POST /api/auth/refresh -"]);
    expect(requests.filter((line) => line.endsWith("Bearer new"))).toHaveLength(3);
  });

  it("is signed out when the session cannot be renewed", async () => {
    const { api, requests } = await serve((request, response) => {
      if (request.url === "/api/auth/login") return answer(response, 200, session("old"));
      answer(response, 401, problem(401, "no"));
    });
    await api.login({ email: "a@b.c", password: "secret" });
    expect(api.account.get().status).toBe("signedIn");
    await expect(api.rooms()).rejects.toMatchObject({ status: 401 });
    expect(api.account.get().status).toBe("anonymous");
    expect(requests).toHaveLength(3);
  });

  it("restores the session of an earlier visit", async () => {
    const { api } = await serve((_, response) => answer(response, 200, session("t")));
    expect(api.account.get().status).toBe("unknown");
    await api.restore();
    expect(api.account.get()).toMatchObject({ status: "signedIn", user: { name: "Ann" } });
  });

  it.each([204, 401])("takes a refresh that answers %i for nobody signed in", async (status) => {
    const { api } = await serve((_, response) =>
      status === 204 ? answer(response, 204) : answer(response, 401, problem(401, "no")),
    );
    await api.restore();
    expect(api.account.get().status).toBe("anonymous");
  });

  it("does not let a refresh under way undo a sign-in", async () => {
    let finishRefresh = () => {};
    const { api } = await serve((request, response) => {
      if (request.url === "/api/auth/login") return answer(response, 200, session("t"));
      finishRefresh = () => answer(response, 401, problem(401, "no"));
      setImmediate(() => finishRefresh());
    });
    const [, user] = await Promise.all([api.restore(), api.login({ email: "a@b.c", password: "secret" })]);
    expect(user.name).toBe("Ann");
    expect(api.account.get().status).toBe("signedIn");
  });

  it("tells a refusal in the server's words, by field, and when to come back", async () => {
    const { api } = await serve((_, response) =>
      answer(
        response,
        422,
        { ...problem(422, "Two fields are wrong."), errors: [{ field: "email", message: "No address." }] },
        { "retry-after": "7" },
      ),
    );
    const error = await api
      .register({ email: "x", password: "y", name: "" })
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 422, message: "Two fields are wrong.", retryAfter: 7 });
    expect((error as ApiError).field("email")).toBe("No address.");
    expect((error as ApiError).field("name")).toBeUndefined();
  });

  it("has words for an answer that is no problem document", async () => {
    const { api } = await serve((_, response) => {
      response.writeHead(502, { connection: "close" });
      response.end("<html>bad gateway</html>");
    });
    await expect(api.login({ email: "a", password: "b" })).rejects.toMatchObject({ status: 502 });
  });

  it("knows whether the server answers at all", async () => {
    const { api } = await serve((_, response) => answer(response, 200, { keys: [] }));
    expect(await api.isReachable()).toBe(true);
    expect(await new Api({ origin: "http://127.0.0.1:1" }).isReachable()).toBe(false);
  });

  it("tells a network that is away from a refusal", async () => {
    const api = new Api({ origin: "http://127.0.0.1:1" });
    await expect(api.login({ email: "a", password: "b" })).rejects.toBeInstanceOf(NetworkError);
  });
});
