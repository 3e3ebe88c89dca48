// Who is refused at the door costs nothing: whatever the reason, the room's file is the same afterwards, and no node hears of it.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Room } from "../../web/sdk/src/generated/protocol.ts";
import type { Disk } from "./disk.ts";
import { FakeNode } from "./fake-node.ts";
import { type Guest, Person, World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await World.start({ CONNECT_USER_CAPACITY: "2", CONNECT_LIMIT_JOIN_ADDRESS: "1000/900" });
});
afterAll(() => world.stop());

interface Case {
  room: Room;
  who: Person | Guest;
  kind: string;
  body?: object;
}

/** Everything that a room has stored; when it is to be woken is the platform's. */
function stored(disk: Disk, { id }: Room): string {
  return disk.named("RoomObject", id, (database) => {
    const tables = database
      .prepare(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\' ORDER BY name",
      )
      .all();
    return JSON.stringify(
      tables.map(({ name }) => [name, database.prepare(`SELECT * FROM "${name}"`).all()]),
    );
  });
}

test("each refusal leaves the room's file as it was, and seeks no node", async () => {
  const [ada, ben, cy] = await Promise.all(["Ada", "Ben", "Cy"].map((name) => world.person(name)));
  if (ada === undefined || ben === undefined || cy === undefined) throw new Error("three people");
  /** A room that its host has set so, and in which the host has done this to Ben. */
  const set = async (of: { change?: object; password?: string; deed?: "ban" | "remove" }) => {
    const room = await ada.createRoom("Door");
    const host = await ada.enter(room);
    const inside = of.deed && (await ben.enter(room));
    const gil = await world.guest(room, "Gil");
    if (of.change) host.socket.send({ type: "configure", change: of.change });
    if (of.password) host.socket.send({ type: "setPassword", password: of.password });
    if (of.deed && inside) {
      host.socket.send({ type: of.deed, participant: inside.welcome.you });
      await inside.socket.next("closed");
    }
    host.socket.send({ type: "leave" });
    await host.socket.next("closed");
    return { room, gil };
  };
  const rooms = await Promise.all([
    set({ change: { locked: true } }),
    set({ change: { opensAt: Date.now() + 3_600_000 } }),
    set({ change: { guests: false } }),
    set({ password: "sesame" }),
    set({ deed: "ban" }),
    set({ deed: "remove" }),
    set({ change: { capacity: 1 } }),
    set({}),
    set({}),
  ]);
  const [locked, early, members, secret, banned, removed, full, often, tickets] = rooms;
  if (!locked || !early || !members || !secret || !banned || !removed || !full || !often || !tickets)
    throw new Error("nine rooms");
  await cy.enter(full.room);
  for (let times = 0; times < 2; times += 1) await ben.enter(often.room);
  const cases: Case[] = [
    { room: locked.room, who: ben, kind: "room-locked" },
    { room: early.room, who: ben, kind: "not-open-yet" },
    { room: members.room, who: members.gil, kind: "no-guests" },
    { room: secret.room, who: ben, kind: "room-password-needed" },
    { room: secret.room, who: ben, kind: "wrong-room-password", body: { password: "guess" } },
    { room: banned.room, who: ben, kind: "banned" },
    { room: removed.room, who: ben, kind: "removed" },
    { room: full.room, who: ben, kind: "room-full" },
    { room: often.room, who: ben, kind: "too-often-here" },
    { room: tickets.room, who: cy, kind: "too-many-attempts" },
  ];
  const places = [...new Set(cases.map(({ room }) => room))];

  // Whoever was connected is lost, and noted as such.
  await world.restart();
  for (const room of places) await ada.call(`/api/rooms/${room.id}`);
  for (let times = 0; times < 32; times += 1) await cy.join(tickets.room);
  const before: string[] = [];
  await world.restart((disk) => before.push(...places.map((room) => stored(disk, room))));

  const node = await FakeNode.register(world, "eu-1", "eu-west");
  const offer = { attempt: 1, sdp: "v=0", sources: [] };
  for (const { room, who, kind, body } of cases) {
    const answer = await who.call(`/api/rooms/${room.id}/join`, { body: { offer, ...body } });
    expect(answer.body, kind).toMatchObject({ type: `/problems/${kind}` });
  }
  const open = await ada.createRoom("Open");
  await ada.enter(open);
  const occupied = [full, often, tickets].map(({ room }) => room.id);
  const sought: string[] = [];
  do sought.push((await node.control.next("openRoom")).room);
  while (sought.at(-1) !== open.id);
  expect(sought.filter((id) => !occupied.includes(id))).toEqual([open.id]);
  node.die();

  const after: string[] = [];
  await world.restart((disk) => after.push(...places.map((room) => stored(disk, room))));
  for (const [index, room] of places.entries()) {
    const { kind, who } = cases.find((one) => one.room === room) ?? {};
    const [former = "", now = ""] = [before[index], after[index]];
    if (!occupied.includes(room.id)) {
      expect(now, kind).toBe(former);
      continue;
    }
    // In these others are lost, and found a node: nothing more is written of who was refused.
    const user = who instanceof Person ? who.user.id : "";
    expect(now.split(user).length, kind).toBe(former.split(user).length);
  }
});
