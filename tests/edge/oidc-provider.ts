// A provider of OpenID Connect as companies have one (npm's certified `oidc-provider`), and a browser without a screen that signs
// in there.
import { createPrivateKey, type JsonWebKey, sign } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import Oidc, { type JWK } from "oidc-provider";

/** Whom the provider knows, by what they call themselves there. */
const PEOPLE: Record<string, object> = {
  ada: { name: "Ada Lovelace", email: "ada@acme.example", email_verified: true, groups: ["staff"] },
  bob: { name: "Bob", email: "bob@acme.example", email_verified: true, groups: ["visitors"] },
  eve: { name: "Eve", groups: [] },
};

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export class Provider {
  #server: Server;
  #handler: Handler = (_, response) => response.writeHead(503).end();
  #redirect = "";
  #keys: JWK[] = [];
  /** Takes a request instead of the provider, if it wants to. */
  meddle: (request: IncomingMessage, response: ServerResponse) => boolean = () => false;
  /** What was asked for, by path. */
  readonly asked: string[] = [];
  readonly issuer: string;

  private constructor(server: Server) {
    this.#server = server;
    this.issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on("request", (request, response) => {
      this.asked.push(`${request.method} ${request.url?.split("?")[0]}`);
      if (!this.meddle(request, response)) this.#handler(request, response);
    });
  }

  static async start(port = 0): Promise<Provider> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    return new Provider(server);
  }

  /** What an operator configures. */
  configuration(more: object = {}) {
    return JSON.stringify([
      {
        id: "acme",
        name: "Acme",
        issuer: this.issuer,
        clientId: "connect",
        clientSecret: "s:e/c+r%t~",
        scopes: "openid profile email groups",
        roles: [
          { claim: "groups", value: "staff", role: "moderator" },
          { claim: "groups", value: "visitors", role: "viewer" },
        ],
        ...more,
      },
    ]);
  }

  /** Serves people who come from there, and signs by these keys. */
  serve(redirect: string, keys: JWK[]): void {
    this.#redirect = redirect;
    this.#keys = keys;
    const oidc = new Oidc(this.issuer, {
      clients: [
        {
          client_id: "connect",
          client_secret: "s:e/c+r%t~",
          redirect_uris: [this.#redirect],
          id_token_signed_response_alg: keys[0]?.alg as "RS256" | "ES256",
        },
      ],
      jwks: { keys },
      cookies: { keys: ["k"] },
      pkce: { required: () => true },
      scopes: ["openid", "profile", "email", "groups"],
      claims: { openid: ["sub"], profile: ["name"], email: ["email", "email_verified"], groups: ["groups"] },
      features: { devInteractions: { enabled: true } },
      findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...PEOPLE[id] }) }),
      ttl: { Interaction: 600, Session: 600, Grant: 600, IdToken: 600, AccessToken: 600 },
    });
    this.#handler = oidc.callback();
  }

  /** Makes a token of the provider's say something else, signed by this key of it as before. */
  resign(token: string, changes: object, kid = this.#keys[0]?.kid): string {
    const [header = "", claims = ""] = token
      .split(".")
      .map((part) => Buffer.from(part, "base64url").toString());
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const signed = `${encode({ ...JSON.parse(header), kid })}.${encode({ ...JSON.parse(claims), ...changes })}`;
    const key = createPrivateKey({ key: this.#keys[0] as JsonWebKey, format: "jwk" });
    return `${signed}.${sign("sha256", Buffer.from(signed), key).toString("base64url")}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Follows links, keeps cookies, and fills in forms. */
export class Browser {
  #cookies = new Map<string, string>();
  /** Where it is, after the last redirect that it followed. */
  at = "";
  /** Every address that it has been at. */
  readonly through: string[] = [];

  /** The cookies for an origin, as it sends them. */
  cookies(origin: string): string {
    const own = [...this.#cookies].filter(([key]) => key.startsWith(`${origin} `));
    return own.map(([key, value]) => `${key.split(" ")[1]}=${value}`).join("; ");
  }

  /** Goes to an address and on to wherever it is sent, but not beyond one that `stops` there. */
  async go(address: string, init: RequestInit = {}, stops = (_: URL) => false): Promise<Response> {
    let [url, request] = [new URL(address, this.at || undefined), init];
    for (let hops = 0; hops < 12; hops++) {
      this.at = url.href;
      this.through.push(url.href);
      const headers = {
        ...(request.headers as Record<string, string>),
        cookie: this.cookies(url.origin),
        "sec-fetch-site": "cross-site",
        "sec-fetch-mode": "navigate",
      };
      const response = await fetch(url, { ...request, headers, redirect: "manual" });
      for (const set of response.headers.getSetCookie()) this.keep(url.origin, set);
      const location = response.headers.get("location");
      if (location === null) return response;
      await response.arrayBuffer();
      [url, request] = [new URL(location, url), {}];
      if (stops(url)) {
        this.at = url.href;
        return response;
      }
    }
    throw new Error("sent around in circles");
  }

  /** Signs in at the provider whose page it is at, and agrees to what is asked; ends where it is sent back to. */
  async signInAs(name: string, home: string): Promise<Response> {
    const stops = (url: URL) => url.origin === home && !url.pathname.startsWith("/api/");
    const form = async (fields: Record<string, string>) => {
      const body = new URLSearchParams(fields).toString();
      const headers = { "content-type": "application/x-www-form-urlencoded" };
      return this.go(this.at, { method: "POST", body, headers }, stops);
    };
    const page = await form({ prompt: "login", login: name, password: "x" });
    if (this.at.startsWith(home)) return page;
    await page.arrayBuffer();
    return form({ prompt: "consent" });
  }

  /** Does not want to. */
  async abort(home: string): Promise<Response> {
    const stops = (url: URL) => url.origin === home && !url.pathname.startsWith("/api/");
    return this.go(`${this.at}/abort`, {}, stops);
  }

  /** Keeps a cookie, as an answer sets it. */
  keep(origin: string, set: string): void {
    const [pair = "", ...attributes] = set.split("; ");
    const [name = "", ...value] = pair.split("=");
    const gone = attributes.some(
      (attribute) => /^max-age=0$/i.test(attribute) || /^expires=Thu, 01 Jan 1970/i.test(attribute),
    );
    if (gone) this.#cookies.delete(`${origin} ${name}`);
    else this.#cookies.set(`${origin} ${name}`, value.join("="));
  }
}
