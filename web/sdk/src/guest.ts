// A guest: the way into one room without an account, by a token that is good for that room alone.
import { withDeadline } from "./deadline.ts";
import type { AccountEntrance, Entrance, RequestOptions, Transport } from "./entrance.ts";
import type {
  GuestSession,
  IceServers,
  JoinReport,
  JoinRequest,
  JoinResponse,
  RoomDetails,
  RoomId,
} from "./generated/protocol.ts";
import { UNAUTHORIZED, unless } from "./problem.ts";

/** Somebody without an account, at the door of a room. Made by {@link Api.guest}. */
export class Guest implements Entrance {
  /** What the others see. */
  readonly name: string;
  /** Where an account is signed in to that the guest may take. */
  readonly account: AccountEntrance;
  readonly #transport: Transport;
  readonly #room: RoomId;
  /** All requests share one session, which outlives each of them. */
  #session: Promise<GuestSession> | null = null;

  constructor(account: AccountEntrance, transport: Transport, room: RoomId, name: string) {
    this.account = account;
    this.#transport = transport;
    this.#room = room;
    this.name = name;
  }

  get origin(): string {
    return this.account.origin;
  }

  /** Asks the room to be let in. */
  async come({ signal, fresh = false }: RequestOptions & { readonly fresh?: boolean } = {}): Promise<void> {
    await withDeadline(this.#transport.timeout, signal, () => this.#comeAnew(fresh));
  }

  room(id: RoomId, options?: RequestOptions): Promise<RoomDetails> {
    return this.#authorized("GET", `/api/rooms/${encodeURIComponent(id)}`, undefined, options);
  }

  join(id: RoomId, request: JoinRequest, options?: RequestOptions): Promise<JoinResponse> {
    return this.#authorized("POST", `/api/rooms/${encodeURIComponent(id)}/join`, request, options);
  }

  /** Tells what a join has come to. */
  joined(id: RoomId, report: JoinReport, options?: RequestOptions): Promise<void> {
    return this.#authorized("POST", `/api/rooms/${encodeURIComponent(id)}/joins`, report, options);
  }

  iceServers(room: RoomId | null = null, options?: RequestOptions): Promise<IceServers> {
    const query = room === null ? "" : `?room=${encodeURIComponent(room)}`;
    return this.#authorized("GET", `/api/ice-servers${query}`, undefined, options);
  }

  isReachable(options?: RequestOptions): Promise<boolean> {
    return this.account.isReachable(options);
  }

  #authorized<T>(method: string, path: string, body: unknown, { signal }: RequestOptions = {}): Promise<T> {
    const { send, timeout } = this.#transport;
    return withDeadline(timeout, signal, async (signal) => {
      const session = this.#session ?? this.#comeAnew();
      const { token } = await session;
      const answer = await unless(UNAUTHORIZED, send<T>(method, path, { body, signal, token }));
      if (answer !== null) return answer.value;
      // The token has expired: one comes anew, as another guest of the same name.
      const renewed = await (this.#session === session ? this.#comeAnew() : (this.#session ?? session));
      return send<T>(method, path, { body, signal, token: renewed.token });
    });
  }

  #comeAnew(fresh = false): Promise<GuestSession> {
    const { send, timeout } = this.#transport;
    const path = `/api/rooms/${encodeURIComponent(this.#room)}/guests`;
    const session = withDeadline(timeout, undefined, (signal) =>
      send<GuestSession>("POST", path, {
        body: { name: this.name, ...(fresh && { fresh }) },
        signal,
        token: null,
      }),
    );
    this.#session = session;
    session.catch(() => {
      if (this.#session === session) this.#session = null;
    });
    return session;
  }
}
