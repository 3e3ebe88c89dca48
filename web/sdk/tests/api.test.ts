// The API client against a real HTTP server: sessions, their renewal, and problems in words.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { Api, type ApiOptions, type RequestOptions } from "../src/api.ts";
import { ApiError, NetworkError, TimeoutError } from "../src/problem.ts";

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

let server: Server | undefined;

async function serve(handler: Handler, options: ApiOptions = {}): Promise<{ api: Api; requests: string[] }> {
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
  return { api: new Api({ origin: `http://127.0.0.1:${port}`, ...options }), requests };
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
  await new Promise((resolve) => {
    if (server === undefined) return resolve(undefined);
    server.close(resolve);
    // Answers that some tests keep back for ever.
    server.closeAllConnections();
  });
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

  it("takes a page of somebody else's, such as a hotel's sign-in, for no answer", async () => {
    const { api } = await serve((_, response) => {
      response.writeHead(200, { "content-type": "text/html", connection: "close" });
      response.end("<html>Welcome to our network</html>");
    });
    await expect(api.restore()).rejects.toBeInstanceOf(NetworkError);
    expect(await api.isReachable()).toBe(false);
  });
});

/** A server that answers sign-ins, and keeps everybody else waiting; `stalled` is called for each that waits. */
function stalling(stalled: (response: ServerResponse) => void = () => {}): Handler {
  return (request, response) => {
    if (request.url === "/api/auth/login") return answer(response, 200, session("t"));
    stalled(response);
  };
}

const ALL: [string, (api: Api, options?: RequestOptions) => Promise<unknown>][] = [
  ["restore", (api, options) => api.restore(options)],
  ["register", (api, options) => api.register({ email: "a@b.c", password: "secret", name: "Ann" }, options)],
  ["logout", (api, options) => api.logout(options)],
  ["rooms", (api, options) => api.rooms(options)],
  ["createRoom", (api, options) => api.createRoom({ name: "Room" }, options)],
  ["room", (api, options) => api.room("r", options)],
  ["deleteRoom", (api, options) => api.deleteRoom("r", options)],
  ["join", (api, options) => api.join("r", JOIN, options)],
  ["iceServers", (api, options) => api.iceServers(options)],
];
const JOIN = { region: null, roundTrips: {}, offer: null, decodes: [], moveHere: false };
const LOGIN = { email: "a@b.c", password: "secret" };

describe("a server that never answers", () => {
  it.each(ALL)("keeps %s waiting for the time-out and no longer", async (_, ask) => {
    const { api } = await serve(stalling(), { timeout: 100 });
    await api.login(LOGIN);
    const error = await ask(api).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(TimeoutError);
    expect((error as Error).message).toContain("did not answer within");
  });

  it.each(ALL)("lets %s be canceled", async (_, ask) => {
    const canceling = new AbortController();
    const { api } = await serve(stalling(() => canceling.abort(new Error("never mind"))));
    await api.login(LOGIN);
    await expect(ask(api, { signal: canceling.signal })).rejects.toThrow("never mind");
    // Canceled before it began, it is not sent at all.
    await expect(ask(api, { signal: canceling.signal })).rejects.toThrow("never mind");
  });

  it("may also stop in the middle of an answer", async () => {
    const { api } = await serve(
      stalling((response) => response.writeHead(200).write('{"rooms":')),
      { timeout: 100 },
    );
    await api.login(LOGIN);
    await expect(api.rooms()).rejects.toBeInstanceOf(TimeoutError);
  });

  it("takes a refresh from whoever cancels, and not from others who wait for it", async () => {
    const canceling = new AbortController();
    const { api } = await serve((request, response) => {
      if (request.url !== "/api/auth/refresh") return answer(response, 200, { rooms: [] });
      canceling.abort(new Error("never mind"));
      setImmediate(() => answer(response, 200, session("t")));
    });
    const [canceled, other] = await Promise.allSettled([
      api.rooms({ signal: canceling.signal }),
      api.rooms(),
    ]);
    expect(canceled).toMatchObject({ status: "rejected", reason: { message: "never mind" } });
    expect(other).toMatchObject({ status: "fulfilled", value: [] });
  });
});
