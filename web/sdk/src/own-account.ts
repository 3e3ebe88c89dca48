// What the holder of an account asks and decides about it, and what is done by the links in its mails.
import type { RequestOptions } from "./entrance.ts";
import type { AccountDetails, AccountExport, SignIn, SignInList } from "./generated/protocol.ts";

/** How its requests are sent. */
export interface Desk {
  /** As who is signed in. */
  ask<T>(method: string, path: string, body?: unknown, options?: RequestOptions): Promise<T>;
  /** As nobody. */
  tell(path: string, body: unknown, options?: RequestOptions): Promise<void>;
  /** Nobody is signed in here any more. */
  leave(): void;
}

/** One's own account. Made by {@link Api}. */
export class OwnAccount {
  readonly #desk: Desk;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  details(options?: RequestOptions): Promise<AccountDetails> {
    return this.#desk.ask("GET", "/api/account", undefined, options);
  }

  /** Where one is signed in, the latest used first. */
  async sessions(options?: RequestOptions): Promise<SignIn[]> {
    const list = await this.#desk.ask<SignInList>("GET", "/api/account/sessions", undefined, options);
    return list.sessions;
  }

  endSession(id: string, options?: RequestOptions): Promise<void> {
    return this.#desk.ask("DELETE", `/api/account/sessions/${encodeURIComponent(id)}`, undefined, options);
  }

  /** Ends all sessions but this one. */
  endOtherSessions(options?: RequestOptions): Promise<void> {
    return this.#desk.ask("DELETE", "/api/account/sessions", undefined, options);
  }

  /** Ends all other sessions, too. */
  changePassword(password: string, newPassword: string, options?: RequestOptions): Promise<void> {
    return this.#desk.ask("POST", "/api/account/password", { password, newPassword }, options);
  }

  /** Has a mail sent whose link confirms the address. */
  askToVerify(options?: RequestOptions): Promise<void> {
    return this.#desk.ask("POST", "/api/account/verification", undefined, options);
  }

  /** Confirms an address by the token of such a link. */
  verify(token: string, options?: RequestOptions): Promise<void> {
    return this.#desk.tell("/api/auth/verify", { token }, options);
  }

  /** Has a mail sent whose link leads to a new password, if there is an account with this address: nobody is told whether. */
  askToReset(email: string, options?: RequestOptions): Promise<void> {
    return this.#desk.tell("/api/auth/reset", { email }, options);
  }

  /** Chooses a new password by the token of such a link. All sessions end. */
  reset(token: string, password: string, options?: RequestOptions): Promise<void> {
    return this.#desk.tell("/api/auth/reset/confirm", { token, password }, options);
  }

  /** All that the server has stored of the account, but for what was said in rooms. */
  export(options?: RequestOptions): Promise<AccountExport> {
    return this.#desk.ask("GET", "/api/account/export", undefined, options);
  }

  /** The account ends, with its rooms that have no other moderator. An account without a password needs none. */
  async delete(password: string, options?: RequestOptions): Promise<void> {
    await this.#desk.ask("POST", "/api/account/deletion", { password }, options);
    this.#desk.leave();
  }
}
