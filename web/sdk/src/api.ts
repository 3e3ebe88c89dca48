// The HTTP API: accounts and rooms. The access token lives in memory only, the refresh token in its cookie.

import { withDeadline } from "./deadline.ts";
import { Developer } from "./developer.ts";
import type { AccountEntrance, RequestOptions, Sent } from "./entrance.ts";
import type {
  AuditPage,
  CreateRoomRequest,
  DirectoryPage,
  Door,
  IceServers,
  JoinReport,
  JoinRequest,
  JoinResponse,
  LoginRequest,
  RefreshRequest,
  RegisterRequest,
  Room,
  RoomDetails,
  RoomId,
  RoomList,
  Session,
  SignInWays,
  User,
} from "./generated/protocol.ts";
import { Guest } from "./guest.ts";
import { Invited } from "./invited.ts";
import { OwnAccount } from "./own-account.ts";
import { ApiError, NetworkError, OTHER_ACCOUNT, problemOf, UNAUTHORIZED, unless } from "./problem.ts";
import { type Readable, Store } from "./store.ts";

/**
 * Whether somebody is signed in. `unknown` until {@link Api.restore} or a sign-in has settled it, with the `problem` that
 * keeps it from being settled. `ended`: the session of
 * this user is over without a sign-out here: it expired, or was ended elsewhere, or (`otherAccount`) this browser was signed
 * in to another account, in another tab. It is `signedIn` again once the same user has signed in again, anywhere in the
 * browser ({@link Api.resume}).
 */
export type Account =
  | { readonly status: "unknown"; readonly problem: unknown }
  | { readonly status: "anonymous" }
  | { readonly status: "signedIn"; readonly user: User }
  | { readonly status: "ended"; readonly user: User; readonly otherAccount: boolean };

/** What {@link Api} needs of its surroundings. */
export interface ApiOptions {
  /** Origin of the API, e.g. `https://connect.example`; empty for the page's own. */
  origin?: string;
  fetch?: typeof fetch;
  /** How long a method may take in all, in milliseconds. */
  timeout?: number;
}

/** What somebody looks for in the directory. */
export interface DirectorySearch {
  /** Beginnings of words; empty for all rooms. */
  query?: string;
  /** Only rooms that somebody is in. */
  live?: boolean;
  /** The `next` of the page before. */
  after?: string | null;
}

/**
 * A client of the HTTP API. Methods reject with {@link ApiError} (refused), {@link NetworkError} (no answer) or
 * {@link TimeoutError} (no answer in time).
 */
export class Api implements AccountEntrance {
  readonly origin: string;
  /** The account of who is signed in: its sessions, its password, its end. */
  readonly own = new OwnAccount({
    ask: (method, path, body, options) => this.#authorized(method, path, body, options),
    tell: (path, body, { signal } = {}) =>
      withDeadline(this.#timeout, signal, (signal) =>
        this.#send("POST", path, { body, signal, token: null }),
      ),
    leave: () => this.#forget({ status: "anonymous" }),
  });
  readonly #fetch: typeof fetch;
  readonly #timeout: number;
  readonly #account = new Store<Account>(UNKNOWN);
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

  /** Keys to the API and webhooks, for programs. */
  readonly developer = new Developer((method, path, body, options) =>
    this.#authorized(method, path, body, options),
  );

  /** Who is signed in. */
  get account(): Readable<Account> {
    return this.#account;
  }

  /** Signs in from the refresh cookie of an earlier visit, if there is one, as whoever that was. */
  restore({ signal }: RequestOptions = {}): Promise<void> {
    return withDeadline(this.#timeout, signal, async () => {
      // One that is under way is for the user of before.
      if (this.#user !== null) await this.#refreshing?.catch(() => {});
      this.#forget(UNKNOWN);
      try {
        await this.#refresh();
      } catch (problem) {
        this.#forget({ status: "unknown", problem });
        throw problem;
      }
    });
  }

  /** Goes on after a session has `ended`, if its user has signed in again in another tab. */
  async resume({ signal }: RequestOptions = {}): Promise<void> {
    if (this.#account.get().status !== "ended") return;
    await withDeadline(this.#timeout, signal, () => this.#refresh());
  }

  register(request: RegisterRequest, options?: RequestOptions): Promise<User> {
    return this.#signIn("/api/auth/register", request, options);
  }

  login(request: LoginRequest, options?: RequestOptions): Promise<User> {
    return this.#signIn("/api/auth/login", request, options);
  }

  /** How one may sign in beside e-mail address and password. */
  ways({ signal }: RequestOptions = {}): Promise<SignInWays> {
    const ask = (signal: AbortSignal) =>
      this.#send<SignInWays>("GET", "/api/auth/ways", { signal, token: null });
    return withDeadline(this.#timeout, signal, ask);
  }

  /** Where a browser goes to sign in at a provider. It comes back to this path of our own site, and {@link restore} signs in there. */
  signOnAddress(provider: string, back: string): string {
    const query = new URLSearchParams({ return: back });
    return `${this.origin}/api/auth/sso/${encodeURIComponent(provider)}/start?${query}`;
  }

  /** Ends the session here even when the server cannot be told. */
  async logout({ signal }: RequestOptions = {}): Promise<void> {
    const body = this.#meant();
    try {
      await withDeadline(this.#timeout, signal, async (signal) => {
        // A refresh under way would sign in again.
        await this.#refreshing?.catch(() => {});
        await unless(OTHER_ACCOUNT, this.#send("POST", "/api/auth/logout", { body, signal, token: null }));
      });
    } finally {
      this.#forget({ status: "anonymous" });
    }
  }

  /** One's own rooms and those visited lately, the latest first. */
  async rooms(options?: RequestOptions): Promise<Room[]> {
    const list = await this.#authorized<RoomList>("GET", "/api/rooms", undefined, options);
    return list.rooms;
  }

  /** Rooms that everybody with an account finds, by name; those whose names have words that begin as the query's do. */
  directory(
    { query = "", live = false, after = null }: DirectorySearch = {},
    options?: RequestOptions,
  ): Promise<DirectoryPage> {
    const search = new URLSearchParams({ q: query, live: String(live), ...(after !== null && { after }) });
    return this.#authorized("GET", `/api/directory?${search}`, undefined, options);
  }

  createRoom(request: CreateRoomRequest, options?: RequestOptions): Promise<Room> {
    return this.#authorized("POST", "/api/rooms", request, options);
  }

  /** A room, and as how many participants one is in it. */
  room(id: RoomId, options?: RequestOptions): Promise<RoomDetails> {
    return this.#authorized("GET", `/api/rooms/${encodeURIComponent(id)}`, undefined, options);
  }

  /** What those who keep order have done in a room, the latest first; for its host. `before` is where the page before it ended. */
  audit(id: RoomId, before: number | null = null, options?: RequestOptions): Promise<AuditPage> {
    const query = before === null ? "" : `?before=${before}`;
    return this.#authorized("GET", `/api/rooms/${encodeURIComponent(id)}/audit${query}`, undefined, options);
  }

  async deleteRoom(id: RoomId, options?: RequestOptions): Promise<void> {
    await this.#authorized("DELETE", `/api/rooms/${encodeURIComponent(id)}`, undefined, options);
  }

  join(id: RoomId, request: JoinRequest, options?: RequestOptions): Promise<JoinResponse> {
    return this.#authorized("POST", `/api/rooms/${encodeURIComponent(id)}/join`, request, options);
  }

  /** Tells what a join has come to. */
  joined(id: RoomId, report: JoinReport, options?: RequestOptions): Promise<void> {
    return this.#authorized("POST", `/api/rooms/${encodeURIComponent(id)}/joins`, report, options);
  }

  /** The servers that help to find a way to the media node of a room, and a node of each region to measure the way to. */
  iceServers(room: RoomId | null = null, options?: RequestOptions): Promise<IceServers> {
    const query = room === null ? "" : `?room=${encodeURIComponent(room)}`;
    return this.#authorized("GET", `/api/ice-servers${query}`, undefined, options);
  }

  /** What everybody may know of a room who has its link. */
  door(id: RoomId, { signal }: RequestOptions = {}): Promise<Door> {
    const path = `/api/rooms/${encodeURIComponent(id)}/door`;
    return withDeadline(this.#timeout, signal, (signal) => this.#send("GET", path, { signal, token: null }));
  }

  /**
   * Comes to a room without an account, under this name: as who this browser has come as before, or, where `fresh` is set, as somebody
   * else.
   */
  async guest(
    room: RoomId,
    name: string,
    options?: RequestOptions & { readonly fresh?: boolean },
  ): Promise<Guest> {
    const send = <T>(method: string, path: string, sent: Sent) => this.#send<T>(method, path, sent);
    const guest = new Guest(this, { send, timeout: this.#timeout }, room, name);
    await guest.come(options);
    return guest;
  }

  /** Comes by a token that a program of the room's owner has made. */
  invited(token: string): Invited {
    const send = <T>(method: string, path: string, sent: Sent) => this.#send<T>(method, path, sent);
    return new Invited(this, { send, timeout: this.#timeout }, token);
  }

  /** An access token of who is signed in, to be shown to a room ({@link Call.takeAccount}). */
  async token({ signal }: RequestOptions = {}): Promise<string> {
    return withDeadline(this.#timeout, signal, async () => {
      if (this.#token === null && !(await this.#refresh())) throw this.#signedOut();
      return this.#token ?? "";
    });
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
        const answer = await unless(UNAUTHORIZED, this.#send<T>(method, path, { body, signal }));
        if (answer !== null) return answer.value;
      }
      // Another request may have renewed the token while this one was under way.
      const renewed = (this.#token !== null && this.#token !== token) || (await this.#refresh());
      if (!renewed) throw this.#signedOut();
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
    const body = this.#meant();
    const send = () =>
      this.#send<Session | undefined>("POST", "/api/auth/refresh", { body, signal, token: null });
    try {
      const session = await oneTabAtATime(send);
      signal.throwIfAborted();
      // 204: there was no cookie, which is no error.
      if (session === undefined) this.#end(false);
      else this.#begin(session);
      return session !== undefined;
    } catch (error) {
      signal.throwIfAborted();
      if (!UNAUTHORIZED(error) && !OTHER_ACCOUNT(error)) throw error;
      this.#end(OTHER_ACCOUNT(error));
      return false;
    }
  }

  #signedOut(): ApiError {
    const account = this.#account.get();
    const other = account.status === "ended" && account.otherAccount;
    const detail = other
      ? "This browser is signed in to another account now. Please sign in again, or go on with that one."
      : "Your session has ended. Please sign in again.";
    return new ApiError({ type: "/problems/unauthenticated", title: "Signed out", status: 401, detail });
  }

  /** Whom this page is for, for as long as that is not given up. */
  get #user(): User | null {
    const account = this.#account.get();
    return account.status === "signedIn" || account.status === "ended" ? account.user : null;
  }

  /** The cookie is all tabs': what is done by it says whose session it is meant for. */
  #meant(): RefreshRequest {
    return { user: this.#user?.id ?? null };
  }

  #begin(session: Session): User {
    this.#token = session.token;
    this.#account.set({ status: "signedIn", user: session.user });
    return session.user;
  }

  #end(otherAccount: boolean): void {
    const user = this.#user;
    this.#forget(user === null ? { status: "anonymous" } : { status: "ended", user, otherAccount });
  }

  #forget(account: Account): void {
    this.#token = null;
    this.#account.set(account);
  }
}

/** Longer than anything that works takes: a password's hash in a queue, a join through two continents on a bad network. */
const TIMEOUT_MS = 15_000;
const UNKNOWN: Account = { status: "unknown", problem: null };

const REACHABLE_WITHIN_MS = 5_000;

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
