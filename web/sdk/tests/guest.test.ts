// A guest: comes by a name, is let in anew when the token has expired, and goes on as an account in the same call.
import { afterEach, describe, expect, it } from "vitest";
import { Api } from "../src/api.ts";
import { Identity } from "../src/call/identity.ts";
import { afterEvent, EMPTY_ROOM } from "../src/call/room.ts";
import type { ChatMessage, Participant } from "../src/generated/protocol.ts";
import type { Guest } from "../src/guest.ts";
import { ApiError } from "../src/problem.ts";

const JOIN = { region: null, roundTrips: {}, offer: null, decodes: [], moveHere: false, password: null };
const ACCOUNT = { token: "account", expiresIn: 3600, user: { id: "u1", email: "a@b.c", name: "Ann" } };

let asked: string[] = [];
/** Tokens that are good; the room hands out `g1`, `g2`, … */
let good: Set<string>;
let count = 0;
let bodies: unknown[];
let refusal: number | null = null;

const answer = (status: number, body: object) => new Response(JSON.stringify(body), { status });

async function fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const token = new Headers(init?.headers).get("authorization")?.slice("Bearer ".length);
  asked.push(`${init?.method} ${input} ${token ?? "-"}`);
  if (String(input).endsWith("/login")) return answer(200, ACCOUNT);
  if (String(input).endsWith("/guests")) {
    if (refusal !== null) return answer(refusal, { title: "No", detail: "no", status: refusal });
    count += 1;
    bodies.push(JSON.parse(String(init?.body)));
    good.add(`g${count}`);
    return answer(201, { token: `g${count}`, expiresIn: 1, user: `guest-${count}`, name: "Gil" });
  }
  if (!good.has(token ?? "")) return answer(401, { title: "No", detail: "expired", status: 401 });
  return answer(200, { iceServers: [] });
}

async function come(options?: { fresh: boolean }): Promise<{ api: Api; guest: Guest }> {
  [asked, good, count, refusal, bodies] = [[], new Set(), 0, null, []];
  const api = new Api({ fetch: fetch as typeof globalThis.fetch });
  return { api, guest: await api.guest("r", "Gil", options) };
}
afterEach(() => {
  refusal = null;
});

describe("a guest", () => {
  it("asks by a token of their own, and nothing is known of an account", async () => {
    const { api, guest } = await come();
    await Promise.all([guest.join("r", JOIN), guest.iceServers(), guest.room("r")]);
    expect(asked).toEqual([
      "POST /api/rooms/r/guests -",
      "POST /api/rooms/r/join g1",
      "GET /api/ice-servers g1",
      "GET /api/rooms/r g1",
    ]);
    expect(api.account.get().status).toBe("unknown");
  });

  it("is let in anew, once for all, when the token has expired", async () => {
    const { guest } = await come();
    good.clear();
    await Promise.all([guest.join("r", JOIN), guest.iceServers()]);
    expect(asked.filter((line) => line.includes("/guests"))).toHaveLength(2);
    expect(asked.filter((line) => line.endsWith("g2"))).toHaveLength(2);
  });

  it("is somebody else once where that is said, and stays so", async () => {
    const { guest } = await come({ fresh: true });
    good.clear();
    await guest.join("r", JOIN);
    expect(bodies).toEqual([{ name: "Gil", fresh: true }, { name: "Gil" }]);
  });

  it("is told why not, and may try again", async () => {
    const { guest } = await come();
    good.clear();
    refusal = 403;
    await expect(guest.join("r", JOIN)).rejects.toBeInstanceOf(ApiError);
    refusal = null;
    await guest.join("r", JOIN);
    expect(asked.at(-1)).toBe("POST /api/rooms/r/join g2");
  });
});

describe("taking an account", () => {
  const own = { id: "me", user: "guest-1", name: "Gil", guest: true } as Participant;

  it("is asked by the account's token, and from then on the room is entered by the account", async () => {
    const { api, guest } = await come();
    const identity = new Identity(guest);
    await expect(identity.claim()).rejects.toThrow("sign in");
    await api.login({ email: "a@b.c", password: "secret" });
    expect(await identity.claim()).toEqual({ type: "takeAccount", token: "account" });
    identity.look(own);
    expect(identity.entrance).toBe(guest);
    identity.look({ ...own, guest: false });
    expect(identity.entrance).toBe(api);
    expect(await identity.claim()).toBeNull();
  });

  it("makes what the guest has written the account's", () => {
    const line = { id: "1", user: "guest-1", text: "hello" } as ChatMessage;
    const other = { id: "2", user: "u2", text: "hi" } as ChatMessage;
    const before = { ...EMPTY_ROOM, participants: [own], chat: [line, other] };
    const after = afterEvent(before, { type: "account", participant: "me", user: "u1", name: "Ann" });
    expect(after.participants).toEqual([{ id: "me", user: "u1", name: "Ann", guest: false }]);
    expect(after.chat.map(({ user }) => user)).toEqual(["u1", "u2"]);
  });
});
