// Chat, votes and roles while workerd is killed again and again, at any instant: what was acknowledged is there, once, and in one
// order for all.
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { AuditPage, ChatMessage, Role } from "../../web/sdk/src/generated/protocol.ts";
import { Steadfast } from "./steadfast.ts";
import { type Client, type Person, World } from "./world.ts";

/** How many lines are said in all, and by how many: each may write so fast. */
const LINES = Number(process.env.CONNECT_LINES ?? 300);
const WRITERS = Math.min(40, Math.max(4, Math.ceil(LINES / 250)));
/** How many times workerd is killed at least, and how many messages it sends at most before. */
const KILLS = 3;
const MESSAGES = WRITERS * Math.max(50, LINES / 50);
/** How many people change roles. Everybody is told of each change. */
const CHANGING = 3;

let world: World;
beforeAll(async () => {
  world = await World.start({ CONNECT_LIMIT_JOIN_ADDRESS: "1000/900" });
});
afterAll(() => world.stop());

/** The whole chat, paged back from its end, as fast as a room shows it: twenty pages at once, then one a second. */
async function history(client: Client): Promise<ChatMessage[]> {
  const lines: ChatMessage[] = [];
  let pages = 0;
  for (let next: string | null = `${LINES + 1}`; next !== null; pages += 1) {
    if (pages >= 20) await setTimeout(1_100);
    client.socket.send({ type: "chatHistory", before: next, limit: 100 });
    const page = await client.socket.next("chatPage");
    lines.unshift(...page.lines);
    next = page.next;
  }
  return lines;
}

/** What the host has made of whom, the oldest first, as the audit list has it. */
async function rolesGiven(host: Person, room: string): Promise<[participant: string, role: Role][]> {
  const given: [string, Role][] = [];
  for (let before: number | null = 0; before !== null; ) {
    const query: string = before === 0 ? "" : `?before=${before}`;
    const { body } = await host.call<AuditPage>(`/api/rooms/${room}/audit${query}`);
    for (const { deed, on } of body.entries)
      if (deed.type === "role") given.unshift([on?.participant ?? "", deed.role]);
    before = body.before;
  }
  return given;
}

test(`of ${LINES} lines, and of the votes and roles beside them, none is lost and none doubled`, {
  timeout: 60_000 + LINES * 100,
}, async () => {
  const names = Array.from({ length: WRITERS }, (_, index) => `Writer${index}`);
  const people: Person[] = [];
  for (const name of names) people.push(await world.person(name));
  const [first] = people;
  if (first === undefined) throw new Error("there are people");
  const room = await first.createRoom();
  const writers: Steadfast[] = [];
  for (const person of people) writers.push(await Steadfast.enter(person, room));
  const [host, ...others] = writers;
  if (host === undefined) throw new Error("there is a host");
  const poll = await host.asks("poll", ["one", "two", "three"]);

  let said = 0;
  let kills = 0;
  const write = async (writer: Steadfast, name: string) => {
    while (said < LINES) {
      said += 1;
      await writer.says(`${name} ${said}`);
      if (Math.random() < 0.3) await writer.choosesIn(poll, Math.floor(Math.random() * 3));
      const latest = [...writer.own].filter(([, { deleted }]) => !deleted).slice(-5);
      const [id, line] = latest[Math.floor(Math.random() * latest.length)] ?? [];
      if (id === undefined || line === undefined) continue;
      if (Math.random() < 0.3) await writer.edits(id, line, `${line.nonce} edited ${said}`);
      else if (Math.random() < 0.1) await writer.deletes(id, line);
    }
  };
  const given: [participant: string, role: Role][] = [];
  const giveRoles = async (by: Steadfast) => {
    for (let turn = 0; said < LINES; turn++) {
      const { participant } = others[turn % CHANGING] ?? by;
      const role = Math.floor(turn / CHANGING) % 2 === 0 ? "moderator" : "viewer";
      await by.makes(participant, role);
      given.push([participant, role]);
      await setTimeout(20);
    }
  };
  let writing = true;
  const heard = () => writers.reduce((sum, writer) => sum + writer.heard, 0);
  const kill = async () => {
    while (writing) {
      const until = heard() + Math.random() * MESSAGES;
      while (writing && heard() < until) await setTimeout(Math.random() * 5);
      await world.restart();
      kills += 1;
    }
  };
  const killing = kill();
  const deeds = others.map((writer, index) => write(writer, names[index + 1] ?? ""));
  await Promise.all([...deeds, giveRoles(host)]);
  writing = false;
  await killing;
  for (const writer of writers) writer.close();
  const voted = writers.reduce((sum, writer) => sum + writer.voted, 0);
  process.stdout.write(
    `${LINES} lines, ${voted} votes and ${given.length} roles were acknowledged over ${kills} kills\n`,
  );

  expect(kills).toBeGreaterThan(KILLS);
  const client = await first.enter(room);
  const lines = await history(client);
  // Each once, since there are as many as were said, and in one order, that of their numbers.
  expect(lines.map(({ id }) => Number(id))).toEqual(Array.from({ length: LINES }, (_, index) => index + 1));
  expect(new Set(lines.map(({ nonce }) => nonce)).size).toBe(LINES);
  const own = new Map(writers.flatMap((writer) => [...writer.own]));
  const stored = lines.map(({ id, nonce, text, deleted = false }) => [id, { nonce, text, deleted }] as const);
  expect(new Map(stored)).toEqual(new Map([...own].sort(([a], [b]) => Number(a) - Number(b))));
  const told = new Map<number, string>();
  for (const [seq, event] of writers.flatMap((writer) => [...writer.told])) {
    expect(told.get(seq) ?? event).toBe(event);
    told.set(seq, event);
  }

  // One vote of each who has voted: the last that was acknowledged.
  client.socket.send({ type: "showVotes", poll });
  const { votes } = await client.socket.next("pollVotes");
  const last = writers.flatMap(({ user, votes }) =>
    [...votes.values()].map((choice) => [user, [choice]] as const),
  );
  expect(new Map(votes.map(({ user, choices }) => [user, choices]))).toEqual(new Map(last));
  expect(votes).toHaveLength(last.length);

  // Each role was given once, in the order in which it was acknowledged, and is what everybody has.
  expect(await rolesGiven(first, room.id)).toEqual(given);
  const roles = new Map(client.welcome.snapshot?.participants.map(({ id, role }) => [id, role]));
  for (const [participant, role] of new Map(given)) expect(roles.get(participant)).toBe(role);
});
