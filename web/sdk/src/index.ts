// The SDK's public face for accounts and rooms. Calls are in `@connect/sdk/call`, so that a page can load them later.
export { type Account, Api, type ApiOptions, type DirectorySearch } from "./api.ts";
export type { Developer } from "./developer.ts";
export type { AccountEntrance, Entrance, RequestOptions } from "./entrance.ts";
export type * from "./generated/protocol.ts";
export {
  MAX_BREAKOUT_NAME_BYTES,
  MAX_BREAKOUT_SECONDS,
  MAX_BREAKOUTS,
  MAX_CAPTION_BYTES,
  MAX_CHAT_BYTES,
  MAX_CHAT_DAYS,
  MAX_CHAT_LINES,
  MAX_DATA_BYTES,
  MAX_LANGUAGE_BYTES,
  MAX_OPTION_BYTES,
  MAX_POLL_OPTIONS,
  MAX_QUESTION_BYTES,
} from "./generated/protocol.ts";
export { Guest } from "./guest.ts";
export type { Invited } from "./invited.ts";
export { type Desk, OwnAccount } from "./own-account.ts";
export { ApiError, NetworkError, TimeoutError } from "./problem.ts";
export type { Readable } from "./store.ts";
