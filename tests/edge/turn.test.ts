// Credentials for TURN: made for whoever is signed in, good for a while, and accepted by a real server.
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { User } from "../../web/sdk/src/generated/protocol.ts";
import { TurnServer } from "./turn-server.ts";
import { World } from "./world.ts";

const secret = randomBytes(24).toString("base64url");
let turn: TurnServer;
let world: World;
beforeAll(async () => {
  turn = await TurnServer.start(secret);
  world = await World.start({
    CONNECT_ICE_SERVERS: '[{"urls":["stun:stun.example.org:3478"]}]',
    CONNECT_TURN_URLS: `turn:127.0.0.1:${turn.port}, turn:127.0.0.1:${turn.port}?transport=tcp`,
    CONNECT_TURN_SECRET: secret,
  });
});
afterAll(async () => {
  await world?.stop();
  await turn?.stop();
});

test("a TURN server accepts what the edge hands out, and nothing else", async () => {
  const ada = await world.person("Ada");
  const iceServers = await ada.iceServers();
  const [stun, relay] = iceServers;
  expect(iceServers).toHaveLength(2);
  expect(stun).toEqual({ urls: ["stun:stun.example.org:3478"] });
  expect(relay?.urls).toEqual([`turn:127.0.0.1:${turn.port}`, `turn:127.0.0.1:${turn.port}?transport=tcp`]);
  const { username = "", credential = "" } = relay ?? {};
  const [expiry, owner] = username.split(":");
  const { body: user } = await ada.call<User>("/api/auth/me");
  expect(owner).toBe(user.id);
  const hours = (Number(expiry) - Date.now() / 1_000) / 3_600;
  expect(hours).toBeGreaterThan(1.9);
  expect(hours).toBeLessThanOrEqual(2);

  expect(await turn.relays(username, credential)).toBe(true);
  expect(await turn.relays(`${Number(expiry) + 3_600}:${owner}`, credential)).toBe(false);
  // Right, but of the past.
  const past = turn.credentials(Math.floor(Date.now() / 1_000) - 60, owner ?? "");
  expect(await turn.relays(past.username, past.credential)).toBe(false);
});

test("credentials come with a join, and say how long they are good for", async () => {
  const ada = await world.person("Ada");
  const { iceServers, iceExpiresIn } = await ada.join(await ada.createRoom());
  const { username = "", credential = "" } = iceServers[1] ?? {};
  expect(await turn.relays(username, credential)).toBe(true);
  expect(iceExpiresIn).toBe(7_200);
  expect((await ada.ice()).expiresIn).toBe(7_200);
});

test("everybody has credentials of their own, and who is not signed in has none", async () => {
  const people = await Promise.all([world.person("Ada"), world.person("Bob")]);
  const servers = await Promise.all(people.map((person) => person.iceServers()));
  expect(new Set(servers.map(([, relay]) => relay?.username)).size).toBe(2);
  expect((await world.call("/api/ice-servers")).status).toBe(401);
});
