// The HTTP API: accounts and rooms. The access token lives in memory only, the refresh token in its cookie.

import { withDeadline } from "./deadline.ts";
import type {
  CreateRoomRequest,
  IceServer,
  IceServers,
  JoinRequest,
  JoinResponse,
  LoginRequest,
  RegisterRequest,
  Room,
  RoomDetails,
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
  /** How long a method may take in all, in milliseconds. */
  timeout?: number;
}

/** What each method of {@link Api} takes. */
export interface RequestOptions {
  /** Cancels: the method rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/**
 * A client of the HTTP API. Methods reject with {@link ApiError} (refused), {@link NetworkError} (no answer) or
 * {@link TimeoutError} (no answer in time).
 */
export class Api {
  readonly origin: string;
  readonly #fetch: typeof fetch;
  readonly #timeout: number;
  readonly #account = new Store<Account>({ status: "unknown" });
  #token: string | null = null;
  #refreshing: Promise<boolean> | null = null;

  constructor({
    origin = "",
    fetch = globalThis.fetch.bind(globalThis),
    timeout = TIMEOUT_MS,
  }: ApiOptions = {}) {
    this.origin = origin;
    this.#fetch = fetch;
    this.#timeout = timeout;
  }

  /** Who is signed in. */
  get account(): Readable<Account> {
    return this.#account;
  }

  /** Signs in from the refresh cookie of an earlier visit, if there is one. */
  async restore({ signal }: RequestOptions = {}): Promise<void> {
    const restored = await withDeadline(this.#timeout, signal, () => this.#refresh());
    if (!restored && this.#account.get().status === "unknown") this.#account.set({ status: "anonymous" });
  }

  register(request: RegisterRequest, options?: RequestOptions): Promise<User> {
    return this.#signIn("/api/auth/register", request, options);
  }

  login(request: LoginRequest, options?: RequestOptions): Promise<User> {
    return this.#signIn("/api/auth/login", request, options);
  }

  /** Ends the session here even when the server cannot be told. */
  async logout({ signal }: RequestOptions = {}): Promise<void> {
    try {
      await withDeadline(this.#timeout, signal, (signal) =>
        this.#send("POST", "/api/auth/logout", { signal }),
      );
    } finally {
      this.#end();
    }
  }

  /** One's own rooms and those visited lately, the latest first. */
  async rooms(options?: RequestOptions): Promise<Room[]> {
    const list = await this.#authorized<RoomList>("GET", "/api/rooms", undefined, options);
    return list.rooms;
  }

  createRoom(request: CreateRoomRequest, options?: RequestOptions): Promise<Room> {
    return this.#authorized("POST", "/api/rooms", request, options);
  }

  /** A room, and as how many participants one is in it. */
  room(id: RoomId, options?: RequestOptions): Promise<RoomDetails> {
    return this.#authorized("GET", `/api/rooms/${encodeURIComponent(id)}`, undefined, options);
  }

  async deleteRoom(id: RoomId, options?: RequestOptions): Promise<void> {
    await this.#authorized("DELETE", `/api/rooms/${encodeURIComponent(id)}`, undefined, options);
  }

  join(id: RoomId, request: JoinRequest, options?: RequestOptions): Promise<JoinResponse> {
    return this.#authorized("POST", `/api/rooms/${encodeURIComponent(id)}/join`, request, options);
  }

  /** The servers that help to find a way to the media node, with credentials that last for hours. */
  async iceServers(options?: RequestOptions): Promise<IceServer[]> {
    const { iceServers } = await this.#authorized<IceServers>("GET", "/api/ice-servers", undefined, options);
    return iceServers;
  }

  /** Whether the server answers at all, within seconds. */
  async isReachable({ signal }: RequestOptions = {}): Promise<boolean> {
    const ask = (signal: AbortSignal) => this.#send("GET", "/.well-known/jwks.json", { signal, token: null });
    return withDeadline(REACHABLE_WITHIN_MS, signal, ask).then(
      () => true,
      (error: unknown) => {
        if (signal?.aborted) throw error;
        return false;
      },
    );
  }

  #signIn(path: string, body: unknown, { signal }: RequestOptions = {}): Promise<User> {
    return withDeadline(this.#timeout, signal, async (signal) => {
      // A refresh under way would end with the older answer: let it finish first.
      await this.#refreshing?.catch(() => {});
      return this.#begin(await this.#send<Session>("POST", path, { body, signal }));
    });
  }

  #authorized<T>(
    method: string,
    path: string,
    body: unknown,
    { signal: canceled }: RequestOptions = {},
  ): Promise<T> {
    return withDeadline(this.#timeout, canceled, async (signal) => {
      const token = this.#token;
      if (token !== null) {
        const answer = await unlessUnauthorized(this.#send<T>(method, path, { body, signal }));
        if (answer !== null) return answer.value;
      }
      // Another request may have renewed the token while this one was under way.
      const renewed = (this.#token !== null && this.#token !== token) || (await this.#refresh());
      if (!renewed) throw new ApiError(SIGNED_OUT);
      return this.#send<T>(method, path, { body, signal });
    });
  }

  /** One request. Its answer is read within the same time, and an answer that is not JSON is none of ours. */
  async #send<T>(method: string, path: string, { body, signal, token = this.#token }: Sent): Promise<T> {
    signal.throwIfAborted();
    const headers: Record<string, string> = {};
    if (token !== null) headers.authorization = `Bearer ${token}`;
    if (body !== undefined) headers["content-type"] = "application/json";
    try {
      const response = await this.#fetch(this.origin + path, {
        method,
        headers,
        credentials: "same-origin",
        cache: "no-store",
        signal,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      if (!response.ok) throw await problemOf(response);
      return (response.status === 204 ? undefined : await response.json()) as T;
    } catch (cause) {
      signal.throwIfAborted();
      throw cause instanceof ApiError ? cause : new NetworkError(cause);
    }
  }

  /**
   * Renews the token; callers at the same time share one request, which outlives each of them. Resolves to whether there
   * is a session.
   */
  #refresh(): Promise<boolean> {
    this.#refreshing ??= withDeadline(this.#timeout, undefined, (signal) => this.#renew(signal)).finally(
      () => {
        this.#refreshing = null;
      },
    );
    return this.#refreshing;
  }

  async #renew(signal: AbortSignal): Promise<boolean> {
    const send = () => this.#send<Session | undefined>("POST", "/api/auth/refresh", { signal, token: null });
    const answer = await unlessUnauthorized(oneTabAtATime(send));
    signal.throwIfAborted();
    // 204: there was no cookie, which is no error.
    if (answer?.value === undefined) {
      this.#end();
      return false;
    }
    this.#begin(answer.value);
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

/** How a request is sent. */
interface Sent {
  body?: unknown;
  signal: AbortSignal;
  token?: string | null;
}

/** Longer than anything that works takes: a password's hash in a queue, a join through two continents on a bad network. */
const TIMEOUT_MS = 15_000;
const REACHABLE_WITHIN_MS = 5_000;

const SIGNED_OUT = {
  type: "/problems/unauthorized",
  title: "Signed out",
  status: 401,
  detail: "Your session has ended. Please sign in again.",
};

/** How long another tab's refresh is waited for: a frozen tab may hold the lock for ever. */
const OTHER_TAB_MS = 5_000;

/** All tabs share the refresh cookie, and each refresh replaces it: one after the other, none works with an outdated one. */
async function oneTabAtATime<T>(task: () => Promise<T>): Promise<T> {
  const locks = globalThis.navigator?.locks;
  // Absent outside of secure contexts.
  if (!locks) return task();
  let started = false;
  const run = () => {
    started = true;
    return task();
  };
  return locks
    .request("connect-refresh", { signal: AbortSignal.timeout(OTHER_TAB_MS) }, run)
    .catch((error: unknown) => {
      if (started) throw error;
      return task();
    });
}

/** The answer, or null where it is that one is not signed in. */
async function unlessUnauthorized<T>(answer: Promise<T>): Promise<{ readonly value: T } | null> {
  try {
    return { value: await answer };
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return null;
    throw error;
  }
}
