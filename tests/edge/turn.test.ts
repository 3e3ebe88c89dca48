// Credentials for TURN: made at the join, good for a while, and accepted by a real server.
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
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

test("a TURN server accepts what a join hands out, and nothing else", async () => {
  const ada = await world.person("Ada");
  const { iceServers, participant } = await ada.join(await ada.createRoom());
  const [stun, relay] = iceServers;
  expect(iceServers).toHaveLength(2);
  expect(stun).toEqual({ urls: ["stun:stun.example.org:3478"] });
  expect(relay?.urls).toEqual([`turn:127.0.0.1:${turn.port}`, `turn:127.0.0.1:${turn.port}?transport=tcp`]);
  const { username = "", credential = "" } = relay ?? {};
  const [expiry, owner] = username.split(":");
  expect(owner).toBe(participant);
  const hours = (Number(expiry) - Date.now() / 1_000) / 3_600;
  expect(hours).toBeGreaterThan(11.9);
  expect(hours).toBeLessThanOrEqual(12);

  expect(await turn.relays(username, credential)).toBe(true);
  expect(await turn.relays(`${Number(expiry) + 3_600}:${owner}`, credential)).toBe(false);
  // Right, but of the past.
  const past = turn.credentials(Math.floor(Date.now() / 1_000) - 60, owner ?? "");
  expect(await turn.relays(past.username, past.credential)).toBe(false);
});

test("every join has credentials of its own", async () => {
  const [ada, bob] = await Promise.all([world.person("Ada"), world.person("Bob")]);
  const room = await ada.createRoom();
  const joins = [await ada.join(room), await bob.join(room), await ada.join(room)];
  const names = joins.map(({ iceServers }) => iceServers[1]?.username);
  expect(new Set(names).size).toBe(3);
});
