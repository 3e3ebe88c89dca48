// Single sign-on with a real provider of OpenID Connect: there and back to where one was, and every way in which it may fail.
import { createHmac, createPublicKey, generateKeyPairSync, type JsonWebKey } from "node:crypto";
import type { ServerResponse } from "node:http";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Problem, Session, SignInWays } from "../../web/sdk/src/generated/protocol.ts";
import { Browser, Provider } from "./oidc-provider.ts";
import { Client, type Person, World } from "./world.ts";

const rsa = (kid: string) => ({
  ...generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" }),
  kid,
  alg: "RS256",
  use: "sig",
});
const ec = (kid: string) => ({
  ...generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" }),
  kid,
  alg: "ES256",
  use: "sig",
});
const FIRST = rsa("first");

let provider: Provider;
let world: World;
let host: Person;
const callback = () => `${world.url}/api/auth/sso/acme/callback`;
const serve = (...keys: JsonWebKey[]) => provider.serve(callback(), keys as never);

beforeAll(async () => {
  provider = await Provider.start();
  world = await World.start({ CONNECT_OIDC: provider.configuration(), CONNECT_LIMIT_ADDRESS: "100/900" });
  host = await world.person("Hope");
});
afterAll(async () => {
  await world.stop();
  await provider.stop();
});
beforeEach(() => serve(FIRST));
afterEach(() => {
  provider.meddle = () => false;
});

/** At the provider's page, on the way to this one of ours. */
async function atProvider(back = "/call/abc"): Promise<Browser> {
  const browser = new Browser();
  await browser.go(`${world.url}/api/auth/sso/acme/start?return=${encodeURIComponent(back)}`);
  expect(browser.at).toContain(`${provider.issuer}/interaction/`);
  return browser;
}

/** Signs in from the page that the browser came back to, as that page does. */
async function session(browser: Browser): Promise<Session> {
  const cookie = browser.cookies(world.url);
  const headers = { cookie, origin: world.url, "sec-fetch-site": "same-origin" };
  const { status, body } = await world.call<Session>("/api/auth/refresh", { method: "POST", headers });
  expect(status).toBe(200);
  return body;
}

/** Has the provider's tokens changed on their way. */
function exchanging(change: (token: string) => string): void {
  provider.meddle = (request, response) => {
    if (request.url !== "/token" || request.headers["x-meddled"]) return false;
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", async () => {
      const { authorization = "" } = request.headers;
      const answer = await fetch(`${provider.issuer}/token`, {
        method: "POST",
        headers: {
          authorization,
          "content-type": "application/x-www-form-urlencoded",
          "x-meddled": "yes",
        },
        body: Buffer.concat(chunks).toString(),
      });
      const tokens = (await answer.json()) as { id_token: string };
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ ...tokens, id_token: change(tokens.id_token) }));
    });
    return true;
  };
}

const now = () => Math.floor(Date.now() / 1000);

/** The key that the provider signs by, as it may lie in a file. */
function publicKey(): string {
  const key = createPublicKey({ key: FIRST as JsonWebKey, format: "jwk" });
  return key.export({ type: "spki", format: "pem" }).toString();
}

/** The same claims under an HMAC. */
function shared(token: string, secret: string): string {
  const header = Buffer.from(JSON.stringify({ alg: "HS256", kid: "first" })).toString("base64url");
  const signed = `${header}.${token.split(".")[1]}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

const failed = (browser: Browser) => {
  const { pathname, searchParams } = new URL(browser.at);
  return { pathname, ...Object.fromEntries(searchParams) };
};

test("one is told how one may sign in", async () => {
  const { body } = await world.call<SignInWays>("/api/auth/ways");
  expect(body).toEqual({ providers: [{ id: "acme", name: "Acme" }] });
});

test("one comes back to the room, signed in, and is the same account the next time", async () => {
  const browser = await atProvider("/call/abc?x=1");
  const answer = await browser.signInAs("ada", world.url);
  expect(browser.at).toBe(`${world.url}/call/abc?x=1`);
  const set = answer.headers.getSetCookie();
  expect(set.find((it) => it.startsWith("__Host-connect_refresh="))).toMatch(
    /HttpOnly; Secure; SameSite=Strict/,
  );
  expect(set.find((it) => it.startsWith("__Host-connect_sso="))).toMatch(/=; Max-Age=0; .*SameSite=Lax/);
  const first = await session(browser);
  expect(first.user).toMatchObject({ name: "Ada Lovelace", email: "ada@acme.example" });
  const again = await atProvider("/");
  await again.signInAs("ada", world.url);
  expect((await session(again)).user.id).toBe(first.user.id);
  const other = await atProvider("/");
  await other.signInAs("bob", world.url);
  expect((await session(other)).user.id).not.toBe(first.user.id);
});

test("who has signed in with a password, and whose provider is a neighbor, is signed in by it", async () => {
  const headers = { origin: world.url, "sec-fetch-site": "same-origin" };
  const body = { email: "carol@example.com", password: "password123", name: "Carol" };
  const { headers: answered } = await world.call("/api/auth/register", { body, headers });
  const browser = await atProvider();
  // Of a page of the same site, browsers send along all of them.
  for (const set of answered.getSetCookie()) browser.keep(world.url, set);
  expect(browser.cookies(world.url)).toContain("__Host-connect_device=");
  await browser.signInAs("ada", world.url);
  expect(failed(browser)).toEqual({ pathname: "/call/abc" });
  expect((await session(browser)).user.name).toBe("Ada Lovelace");
});

test("who registered the same address with a password is somebody else", async () => {
  const { body } = await world.call<Session>("/api/auth/register", {
    body: { email: "ada@acme.example", password: "password123", name: "Mallory" },
  });
  const browser = await atProvider();
  await browser.signInAs("ada", world.url);
  expect((await session(browser)).user.id).not.toBe(body.user.id);
  const login = { email: "ada@acme.example", password: "" };
  expect((await world.call("/api/auth/login", { body: login })).status).toBe(401);
});

test.each([
  ["ada", "moderator"],
  ["bob", "viewer"],
])("claims become a role: %s is a %s in another's room", async (name, role) => {
  const browser = await atProvider();
  await browser.signInAs(name, world.url);
  const { token } = await session(browser);
  const room = await host.createRoom();
  const { body } = await world.call<{ url: string }>(`/api/rooms/${room.id}/join`, { token, body: {} });
  const { welcome } = await Client.open(world, body.url);
  const own = welcome.snapshot?.participants.find(({ id }) => id === welcome.you);
  expect(own).toMatchObject({ role, guest: false });
});

test("new keys of the provider are known at once, also of another kind", async () => {
  // The last one has the name of the one before.
  for (const keys of [[FIRST], [rsa("second"), FIRST], [rsa("second"), FIRST]]) {
    serve(...keys);
    const browser = await atProvider();
    await browser.signInAs("ada", world.url);
    expect(failed(browser).pathname).toBe("/call/abc");
  }
  const curved = await Provider.start();
  const there = await World.start({ CONNECT_OIDC: curved.configuration() });
  try {
    curved.serve(`${there.url}/api/auth/sso/acme/callback`, [ec("curve")] as never);
    const browser = new Browser();
    await browser.go(`${there.url}/api/auth/sso/acme/start`);
    await browser.signInAs("ada", there.url);
    expect(browser.at).toBe(`${there.url}/`);
  } finally {
    await there.stop();
    await curved.stop();
  }
});

test("a token that was signed anew, as the next ones are, is the provider's as long as its claims are", async () => {
  const browser = await atProvider();
  exchanging((token) =>
    provider.resign(token, { aud: ["connect", "other"], azp: "connect", exp: now() - 50 }),
  );
  await browser.signInAs("ada", world.url);
  expect(failed(browser)).toEqual({ pathname: "/call/abc" });
});

test("keys that nobody has are asked for a few times a minute, whoever makes them up", async () => {
  const asks = () => provider.asked.filter((it) => it === "GET /jwks").length;
  const before = asks();
  for (let kid = 0; kid < 8; kid++) {
    const browser = await atProvider();
    exchanging((token) => {
      const [, claims, signature] = token.split(".");
      const header = Buffer.from(JSON.stringify({ alg: "RS256", kid: `made-up-${kid}` })).toString(
        "base64url",
      );
      return [header, claims, signature].join(".");
    });
    await browser.signInAs("ada", world.url);
    expect(failed(browser)).toMatchObject({ failed: "rejected" });
    provider.meddle = () => false;
  }
  expect(asks() - before).toBeLessThanOrEqual(5);
});

describe("nobody is signed in", () => {
  const signedIn = (browser: Browser) => browser.cookies(world.url).includes("__Host-connect_refresh=");
  const back = "/call/abc";

  test("who does not want to", async () => {
    const browser = await atProvider();
    await browser.abort(world.url);
    expect(failed(browser)).toEqual({ pathname: "/login", failed: "denied", return: back });
    expect(signedIn(browser)).toBe(false);
  });

  test("by an answer that another browser's sign-in got", async () => {
    const victim = await atProvider();
    const attacker = await atProvider();
    let answer = "";
    const stop = (url: URL) => {
      if (url.href.startsWith(callback())) answer = url.href;
      return answer !== "";
    };
    const form = (fields: Record<string, string>) => ({
      method: "POST",
      body: new URLSearchParams(fields).toString(),
      headers: { "content-type": "application/x-www-form-urlencoded" },
    });
    await attacker.go(attacker.at, form({ prompt: "login", login: "eve", password: "x" }), stop);
    if (answer === "") await attacker.go(attacker.at, form({ prompt: "consent" }), stop);
    const nobody = new Browser();
    for (const [browser, path] of [
      [victim, back],
      [nobody, "/"],
    ] as const) {
      await browser.go(answer, {}, (url) => url.pathname === "/login");
      expect(failed(browser)).toEqual({ pathname: "/login", failed: "expired", return: path });
      expect(signedIn(browser)).toBe(false);
    }
  });

  test("twice by one answer, neither by the same browser nor by one that has its cookie as it was", async () => {
    const browser = await atProvider();
    const before = browser.cookies(world.url);
    await browser.signInAs("ada", world.url);
    const answer = browser.through.find((address) => address.startsWith(callback())) ?? "";
    expect(new URL(answer).searchParams.get("code")).not.toBeNull();
    const stops = (url: URL) => url.pathname === "/login";
    await browser.go(answer, {}, stops);
    expect(failed(browser)).toMatchObject({ failed: "expired" });
    const thief = new Browser();
    thief.keep(world.url, before);
    await thief.go(answer, {}, stops);
    expect(failed(thief)).toMatchObject({ failed: "provider" });
    expect(signedIn(thief)).toBe(false);
  });

  test("by a cookie that the browser's owner has written", async () => {
    const browser = await atProvider();
    const [name = "", value = ""] = browser.cookies(world.url).split("=");
    const [attempt = "", signature] = value.split(".");
    const text = Buffer.from(attempt, "base64url").toString();
    expect(text).toMatch(/ \/call\/abc$/);
    const other = Buffer.from(text.replace("/call/abc", "//evil.example")).toString("base64url");
    browser.keep(world.url, `${name}=${other}.${signature}`);
    await browser.signInAs("ada", world.url);
    expect(failed(browser)).toEqual({ pathname: "/login", failed: "expired", return: "/" });
    expect(signedIn(browser)).toBe(false);
  });

  test.each([
    ["a signature that is not the provider's", (token: string) => `${token.slice(0, -8)}AAAAAAAA`],
    [
      "no signature",
      (token: string) => `${btoa('{"alg":"none"}').replaceAll("=", "")}.${token.split(".")[1]}.`,
    ],
    [
      "other claims under the signature",
      (token: string) => {
        const [header, claims = "", signature] = token.split(".");
        const said = JSON.parse(Buffer.from(claims, "base64url").toString());
        const changed = { ...said, email: "bob@acme.example" };
        return [header, Buffer.from(JSON.stringify(changed)).toString("base64url"), signature].join(".");
      },
    ],
    ["no token at all", () => "x"],
    ["the provider's public key as a secret", (token: string) => shared(token, publicKey())],
    ["the client's secret", (token: string) => shared(token, "s:e/c+r%t~")],
    ["a token of long ago", (token: string) => provider.resign(token, { exp: now() - 61 })],
    ["a token that was made long ago", (token: string) => provider.resign(token, { iat: now() - 601 })],
    ["a token of another sign-in", (token: string) => provider.resign(token, { nonce: "other" })],
    ["a token that names no sign-in", (token: string) => provider.resign(token, { nonce: undefined })],
    ["a token for another client", (token: string) => provider.resign(token, { aud: "other" })],
    ["a token for several clients", (token: string) => provider.resign(token, { aud: ["connect", "other"] })],
    ["a token that another client got", (token: string) => provider.resign(token, { azp: "other" })],
    [
      "a token of another issuer",
      (token: string) => provider.resign(token, { iss: "https://id.other.example" }),
    ],
  ])("by %s", async (_, change) => {
    const browser = await atProvider();
    exchanging(change);
    await browser.signInAs("ada", world.url);
    expect(failed(browser)).toEqual({ pathname: "/login", failed: "rejected", return: back });
    expect(signedIn(browser)).toBe(false);
  });

  test.each([
    [
      "redirects elsewhere",
      (response) => response.writeHead(302, { location: `${provider.issuer}/elsewhere` }).end(),
    ],
    ["fails", (response) => response.writeHead(500).end()],
    ["says too much", (response) => response.end(`{"x":"${"x".repeat(300_000)}"}`)],
    ["stops in the middle", (response) => response.writeHead(200).write('{"id_token":')],
    ["says nothing", () => undefined],
  ] as [string, (response: ServerResponse) => unknown][])(
    "by a provider whose token endpoint %s",
    async (_, answers) => {
      const browser = await atProvider();
      provider.meddle = (request, response) => {
        if (request.url !== "/token") return false;
        answers(response);
        return true;
      };
      await browser.signInAs("ada", world.url);
      expect(failed(browser)).toEqual({ pathname: "/login", failed: "provider", return: back });
      expect(provider.asked).not.toContain("GET /elsewhere");
      expect(provider.asked).not.toContain("POST /elsewhere");
    },
  );

  test("of whom the provider tells no address", async () => {
    const browser = await atProvider();
    await browser.signInAs("eve", world.url);
    expect(failed(browser)).toEqual({ pathname: "/login", failed: "no-address", return: back });
  });

  test("while the provider is away", async () => {
    const gone = await Provider.start();
    await gone.stop();
    const alone = await World.start({ CONNECT_OIDC: gone.configuration() });
    try {
      const browser = new Browser();
      const stops = (url: URL) => url.pathname === "/login";
      await browser.go(`${alone.url}/api/auth/sso/acme/start?return=/rooms`, {}, stops);
      expect(failed(browser)).toEqual({ pathname: "/login", failed: "provider", return: "/rooms" });
    } finally {
      await alone.stop();
    }
  });

  test("beyond the limit of failed sign-ins", async () => {
    const strict = await World.start({
      CONNECT_OIDC: provider.configuration(),
      CONNECT_LIMIT_ADDRESS: "1/900",
    });
    provider.serve(`${strict.url}/api/auth/sso/acme/callback`, [FIRST] as never);
    provider.meddle = (request, response) => {
      if (request.url !== "/token") return false;
      response.writeHead(500).end();
      return true;
    };
    try {
      for (const failure of ["provider", "too-many"]) {
        const browser = new Browser();
        await browser.go(`${strict.url}/api/auth/sso/acme/start`);
        await browser.signInAs("ada", strict.url);
        expect(failed(browser)).toMatchObject({ failed: failure });
      }
    } finally {
      await strict.stop();
    }
  });
});

test.each(["//evil.example", "https://evil.example", "/\\evil.example", "call"])(
  "one is not led to %s",
  async (address) => {
    const { status, body } = await world.call<Problem>(
      `/api/auth/sso/acme/start?return=${encodeURIComponent(address)}`,
    );
    expect(status).toBe(422);
    expect(body.errors).toMatchObject([{ field: "return" }]);
  },
);

test("what is not configured is not there", async () => {
  expect((await world.call("/api/auth/sso/other/start")).status).toBe(404);
  expect((await world.call("/api/auth/sso/other/callback")).status).toBe(404);
  expect((await world.call("/api/auth/sso/acme/start", { method: "POST" })).status).toBe(405);
});
