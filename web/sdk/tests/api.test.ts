// The API client against a real HTTP server: sessions, their renewal, and problems in words.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { Api, type ApiOptions } from "../src/api.ts";
import type { RequestOptions } from "../src/entrance.ts";
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
  it("asks for the directory by words, and for what follows upon a page", async () => {
    const { api, requests } = await serve((request, response) => {
      if (request.url === "/api/auth/refresh") return answer(response, 200, session("t"));
      answer(response, 200, { rooms: [], next: null });
    });
    await api.restore();
    await api.directory();
    await api.directory({ query: "a&b é", live: true, after: "id name" });
    expect(requests.slice(1)).toEqual([
      "GET /api/directory?q=&live=false Bearer t",
      "GET /api/directory?q=a%26b+%C3%A9&live=true&after=id+name Bearer t",
    ]);
  });

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
    expect(api.account.get()).toMatchObject({
      status: "ended",
      user: { name: "Ann" },
      otherAccount: false,
    });
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

  it("does not let a refresh under way undo a sign-out", async () => {
    const { api, requests } = await serve((request, response) => {
      if (request.url === "/api/auth/logout") return answer(response, 204);
      setImmediate(() => answer(response, 200, session("t")));
    });
    await Promise.all([api.restore(), api.logout()]);
    expect(api.account.get().status).toBe("anonymous");
    expect(requests.map((line) => line.split(" ")[1])).toEqual(["/api/auth/refresh", "/api/auth/logout"]);
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
    expect(api.account.get()).toEqual({ status: "unknown", problem: expect.any(NetworkError) });
    expect(await api.isReachable()).toBe(false);
  });
});

/** A browser whose tabs share a cookie: `cookie` is whose it is, or null. */
function browser() {
  const tabs: { cookie: string | null; asked: unknown[] } = { cookie: "ann", asked: [] };
  const handler: Handler = (request, response, body) => {
    if (request.url === "/api/auth/login") return answer(response, 200, { ...session("old"), user: ANN });
    if (request.url?.startsWith("/api/auth/")) {
      const { user } = JSON.parse(body) as { user: string | null };
      tabs.asked.push([request.url.replace("/api/auth/", ""), user]);
      if (tabs.cookie === null) return answer(response, 401, problem(401, "no"));
      if (user !== null && user !== tabs.cookie) return answer(response, 409, OTHER);
      if (request.url === "/api/auth/logout") return answer(response, 204);
      return answer(response, 200, { ...session("new"), user: { ...ANN, id: tabs.cookie } });
    }
    if (request.headers.authorization === "Bearer new") return answer(response, 200, { rooms: [] });
    answer(response, 401, problem(401, "expired"));
  };
  return { tabs, handler };
}
const ANN = { id: "ann", email: "a@b.c", name: "Ann" };
const OTHER = { ...problem(409, "Another account."), type: "/problems/other-account" };

describe("a session", () => {
  it("is renewed for the page's own user, whom it names", async () => {
    const { tabs, handler } = browser();
    const { api } = await serve(handler);
    await api.restore();
    await api.login(LOGIN);
    await api.rooms();
    await api.logout();
    await api.restore();
    expect(tabs.asked).toEqual([
      ["refresh", null],
      ["refresh", "ann"],
      ["logout", "ann"],
      ["refresh", null],
    ]);
  });

  it("is never replaced by another user's, unless one goes on with that", async () => {
    const { tabs, handler } = browser();
    const { api, requests } = await serve(handler);
    await api.login(LOGIN);
    tabs.cookie = "bob";
    const refused = await api.rooms().catch((error: unknown) => error);
    expect(refused).toMatchObject({ status: 401, message: expect.stringContaining("another account") });
    expect(api.account.get()).toEqual({ status: "ended", user: ANN, otherAccount: true });
    expect(requests.filter((line) => line.includes("/api/rooms"))).toEqual(["GET /api/rooms Bearer old"]);
    // Neither later, nor by a look at whether Ann is back.
    await api.resume();
    await expect(api.rooms()).rejects.toMatchObject({ status: 401 });
    expect(api.account.get()).toMatchObject({ status: "ended", user: { id: "ann" } });
    await api.restore();
    expect(api.account.get()).toMatchObject({ status: "signedIn", user: { id: "bob" } });
    expect(await api.rooms()).toEqual([]);
  });

  it("that ended goes on once the same user has signed in again in another tab", async () => {
    const { tabs, handler } = browser();
    const { api } = await serve(handler);
    await api.login(LOGIN);
    tabs.cookie = null;
    await expect(api.rooms()).rejects.toMatchObject({ status: 401 });
    await api.resume();
    expect(api.account.get()).toEqual({ status: "ended", user: ANN, otherAccount: false });
    tabs.cookie = "ann";
    await api.resume();
    expect(api.account.get().status).toBe("signedIn");
    expect(await api.rooms()).toEqual([]);
  });

  it("of somebody else is not ended by a sign-out here", async () => {
    const { tabs, handler } = browser();
    const { api } = await serve(handler);
    await api.login(LOGIN);
    tabs.cookie = "bob";
    await api.logout();
    expect(api.account.get().status).toBe("anonymous");
    expect(tabs.asked).toEqual([["logout", "ann"]]);
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
  ["iceServers", (api, options) => api.iceServers(null, options)],
];
const JOIN = { region: null, roundTrips: {}, offer: null, decodes: [], moveHere: false, password: null };
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
