// Who comes by a token of the room's owner: a program of theirs has made it, and hands it to the page.
import { withDeadline } from "./deadline.ts";
import type { Entrance, RequestOptions, Transport } from "./entrance.ts";
import type {
  IceServers,
  JoinReport,
  JoinRequest,
  JoinResponse,
  RoomDetails,
  RoomId,
} from "./generated/protocol.ts";

/** Somebody with a token for one room. Made by {@link Api.invited}. */
export class Invited implements Entrance {
  readonly origin: string;
  readonly isReachable: Entrance["isReachable"];
  readonly #transport: Transport;
  readonly #token: string;

  constructor(way: Entrance, transport: Transport, token: string) {
    this.origin = way.origin;
    this.isReachable = (options) => way.isReachable(options);
    this.#transport = transport;
    this.#token = token;
  }

  room(id: RoomId, options?: RequestOptions): Promise<RoomDetails> {
    return this.#send("GET", `/api/rooms/${encodeURIComponent(id)}`, undefined, options);
  }

  join(id: RoomId, request: JoinRequest, options?: RequestOptions): Promise<JoinResponse> {
    return this.#send("POST", `/api/rooms/${encodeURIComponent(id)}/join`, request, options);
  }

  /** Tells what a join has come to. */
  joined(id: RoomId, report: JoinReport, options?: RequestOptions): Promise<void> {
    return this.#send("POST", `/api/rooms/${encodeURIComponent(id)}/joins`, report, options);
  }

  iceServers(room: RoomId | null = null, options?: RequestOptions): Promise<IceServers> {
    const query = room === null ? "" : `?room=${encodeURIComponent(room)}`;
    return this.#send("GET", `/api/ice-servers${query}`, undefined, options);
  }

  #send<T>(method: string, path: string, body: unknown, { signal }: RequestOptions = {}): Promise<T> {
    const { send, timeout } = this.#transport;
    const token = this.#token;
    return withDeadline(timeout, signal, (signal) => send<T>(method, path, { body, signal, token }));
  }
}
