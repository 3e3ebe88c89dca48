// What a call needs of whoever lets it into rooms, an account or a guest, and how their requests are sent.
import type {
  IceServers,
  JoinReport,
  JoinRequest,
  JoinResponse,
  RoomDetails,
  RoomId,
} from "./generated/protocol.ts";

/** What each method that asks the server takes. */
export interface RequestOptions {
  /** Cancels: the method rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** What a call needs of the API: of who has an account, or of a guest. */
export interface Entrance {
  readonly origin: string;
  room(id: RoomId, options?: RequestOptions): Promise<RoomDetails>;
  join(id: RoomId, request: JoinRequest, options?: RequestOptions): Promise<JoinResponse>;
  /** Tells what a join has come to. */
  joined(id: RoomId, report: JoinReport, options?: RequestOptions): Promise<void>;
  iceServers(room?: RoomId | null, options?: RequestOptions): Promise<IceServers>;
  isReachable(options?: RequestOptions): Promise<boolean>;
}

/** The same of somebody with an account. */
export interface AccountEntrance extends Entrance {
  /** An access token, to be shown to a room. */
  token(options?: RequestOptions): Promise<string>;
}

/** How a guest's requests are sent. */
export interface Transport {
  send<T>(method: string, path: string, sent: Sent): Promise<T>;
  readonly timeout: number;
}

/** How a request is sent. */
export interface Sent {
  body?: unknown;
  signal: AbortSignal;
  token?: string | null;
}
