// The HTTP API: accounts and rooms. The access token lives in memory only, the refresh token in its cookie.
import type {
  CreateRoomRequest,
  IceServer,
  IceServers,
  JoinRequest,
  JoinResponse,
  LoginRequest,
  RegisterRequest,
  Room,
  RoomId,
  RoomList,
  Session,
  User,
} from "./generated/protocol.ts";
import { ApiError, NetworkError, problemOf } from "./problem.ts";
import { type Readable, Store } from "./store.ts";

/** Whether somebody is signed in. `unknown` until {@link Api.restore} or a sign-in has settled it. */
export type Account =
  | { readonly status: "unknown" }
  | { readonly status: "anonymous" }
  | { readonly status: "signedIn"; readonly user: User };

/** What {@link Api} needs of its surroundings. */
export interface ApiOptions {
  /** Origin of the API, e.g. `https://connect.example`; empty for the page's own. */
  origin?: string;
  fetch?: typeof fetch;
}

/** A client of the HTTP API. Methods reject with {@link ApiError} or {@link NetworkError}. */
export class Api {
  readonly origin: string;
  readonly #fetch: typeof fetch;
  readonly #account = new Store<Account>({ status: "unknown" });
  #token: string | null = null;
  #refreshing: Promise<boolean> | null = null;

  constructor({ origin = "", fetch = globalThis.fetch.bind(globalThis) }: ApiOptions = {}) {
    this.origin = origin;
    this.#fetch = fetch;
  }

  /** Who is signed in. */
  get account(): Readable<Account> {
    return this.#account;
  }

  /** Signs in from the refresh cookie of an earlier visit, if there is one. */
  async restore(): Promise<void> {
    const restored = await this.#refresh();
    if (!restored && this.#account.get().status === "unknown") this.#account.set({ status: "anonymous" });
  }

  async register(request: RegisterRequest): Promise<User> {
    return this.#signIn("/api/auth/register", request);
  }

  async login(request: LoginRequest): Promise<User> {
    return this.#signIn("/api/auth/login", request);
  }

  /** Ends the session here even when the server cannot be told. */
  async logout(): Promise<void> {
    try {
      await this.#send("POST", "/api/auth/logout");
    } finally {
      this.#end();
    }
  }

  async rooms(): Promise<Room[]> {
    const list = await this.#authorized<RoomList>("GET", "/api/rooms");
    return list.rooms;
  }

  createRoom(request: CreateRoomRequest): Promise<Room> {
    return this.#authorized("POST", "/api/rooms", request);
  }

  room(id: RoomId): Promise<Room> {
    return this.#authorized("GET", `/api/rooms/${encodeURIComponent(id)}`);
  }

  async deleteRoom(id: RoomId): Promise<void> {
    await this.#authorized("DELETE", `/api/rooms/${encodeURIComponent(id)}`);
  }

  join(id: RoomId, request: JoinRequest): Promise<JoinResponse> {
    return this.#authorized("POST", `/api/rooms/${encodeURIComponent(id)}/join`, request);
  }

  /** The servers that help to find a way to the media node, with credentials that last for hours. */
  async iceServers(): Promise<IceServer[]> {
    const { iceServers } = await this.#authorized<IceServers>("GET", "/api/ice-servers");
    return iceServers;
  }

  /** Whether the server answers at all, within seconds. */
  async isReachable(): Promise<boolean> {
    const options = { cache: "no-store", signal: AbortSignal.timeout(REACHABLE_WITHIN_MS) } as const;
    const response = await this.#fetch(`${this.origin}/.well-known/jwks.json`, options).catch(() => null);
    return response?.ok ?? false;
  }

  async #signIn(path: string, body: unknown): Promise<User> {
    // A refresh under way would end with the older answer: let it finish first.
    await this.#refreshing;
    return this.#begin(await read<Session>(await this.#send("POST", path, body)));
  }

  async #authorized<T>(method: string, path: string, body?: unknown): Promise<T> {
    const token = this.#token;
    let response = token === null ? null : await this.#send(method, path, body).catch(unlessUnauthorized);
    if (response === null) {
      // Another request may have renewed the token while this one was under way.
      const renewed = (this.#token !== null && this.#token !== token) || (await this.#refresh());
      if (!renewed) throw new ApiError(SIGNED_OUT);
      response = await this.#send(method, path, body);
    }
    return read<T>(response);
  }

  async #send(method: string, path: string, body?: unknown, token = this.#token): Promise<Response> {
    const headers: Record<string, string> = {};
    if (token !== null) headers.authorization = `Bearer ${token}`;
    if (body !== undefined) headers["content-type"] = "application/json";
    const response = await this.#fetch(this.origin + path, {
      method,
      headers,
      credentials: "same-origin",
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }).catch((cause: unknown) => {
      throw new NetworkError(cause);
    });
    if (!response.ok) throw await problemOf(response);
    return response;
  }

  /** Renews the token; callers at the same time share one request. Resolves to whether there is a session. */
  #refresh(): Promise<boolean> {
    this.#refreshing ??= oneTabAtATime(() => this.#renew()).finally(() => {
      this.#refreshing = null;
    });
    return this.#refreshing;
  }

  async #renew(): Promise<boolean> {
    const response = await this.#send("POST", "/api/auth/refresh", undefined, null).catch(unlessUnauthorized);
    // 204: there was no cookie, which is no error.
    if (response === null || response.status === 204) {
      this.#end();
      return false;
    }
    this.#begin(await read<Session>(response));
    return true;
  }

  #begin(session: Session): User {
    this.#token = session.token;
    this.#account.set({ status: "signedIn", user: session.user });
    return session.user;
  }

  #end(): void {
    this.#token = null;
    this.#account.set({ status: "anonymous" });
  }
}

const REACHABLE_WITHIN_MS = 5_000;

const SIGNED_OUT = {
  type: "/problems/unauthorized",
  title: "Signed out",
  status: 401,
  detail: "Your session has ended. Please sign in again.",
};

/** The refresh token is used up by each use, and all tabs share its cookie: two uses at once would look like theft. */
function oneTabAtATime<T>(task: () => Promise<T>): Promise<T> {
  const locks = globalThis.navigator?.locks;
  // Absent outside of secure contexts.
  return locks ? locks.request("connect-refresh", task) : task();
}

function unlessUnauthorized(error: unknown): null {
  if (error instanceof ApiError && error.status === 401) return null;
  throw error;
}

async function read<T>(response: Response): Promise<T> {
  if (response.status === 204) return undefined as T;
  return (await response.json()) as T;
}
