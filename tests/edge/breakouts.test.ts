// Breakout rooms: who is in which by the room's word to people and to the media node, over a restart and until their time is over.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Room, RoomEvent, ServerMessage } from "../../web/sdk/src/generated/protocol.ts";
import { FakeNode } from "./fake-node.ts";
import { Client, type Guest, type Person, World } from "./world.ts";

let world: World;
let node: FakeNode;
beforeAll(async () => {
  world = await World.start();
  node = await FakeNode.register(world, "node-1", "eu-west");
});
afterAll(async () => {
  node.die();
  await world.stop();
});

type Happened<T extends RoomEvent["type"]> = Extract<RoomEvent, { type: T }>;

async function event<T extends RoomEvent["type"]>(
  client: Client,
  type: T,
  fits: (event: Happened<T>) => boolean = () => true,
): Promise<Happened<T>> {
  const is = (message: Extract<ServerMessage, { type: "event" }>) =>
    message.event.type === type && fits(message.event as Happened<T>);
  return (await client.socket.next("event", is)).event as Happened<T>;
}

const open = (names: string[], fields: object = {}) => ({
  type: "openBreakouts",
  draft: { names, assignment: "automatic", ...fields },
});
const go = (client: Client, breakout: number | null) => ({
  type: "moveToBreakout",
  participant: client.welcome.you,
  breakout,
});
const chat = (text: string, fields: object = {}) => ({ type: "chat", nonce: text, text, ...fields });
const offer = (attempt: number) => ({ type: "offer", attempt, sdp: `v=0 ${attempt}`, sources: [] });

const limit = (seconds: number | null) => ({ type: "limitBreakouts", seconds });

/** A host, somebody with an account, and a guest. */
async function meeting() {
  const [ada, bob] = await Promise.all([world.person("Ada"), world.person("Bob")]);
  const room = await ada.createRoom();
  const host = await ada.enter(room);
  const second = await bob.enter(room);
  const gus = await world.guest(room, "Gus");
  const third = await gus.enter(room);
  return { ada, bob, gus, room, host, second, third };
}

async function back(room: Room, client: Client): Promise<Client> {
  return Client.open(world, client.resume(room, client.welcome.seq));
}

/** Where somebody finds themselves who comes anew. */
async function placeOf(somebody: Person | Guest, room: Room) {
  const client = await somebody.enter(room);
  const { you, snapshot } = client.welcome;
  const place = snapshot?.breakouts?.places.find(({ participant }) => participant === you);
  const chat = snapshot?.chat.map(({ text }) => text);
  return { place, chat, client };
}

test("each is in one, the node knows it, and all of it is there after a restart", async () => {
  const { bob, gus, room, host, second, third } = await meeting();
  for (const client of [host, second, third]) client.socket.send(offer(1));
  const { socket } = await node.openRoom();
  for (let i = 0; i < 3; i++) expect(await socket.next("offer")).toMatchObject({ breakout: null });
  host.socket.send(open(["Red", "Blue"]));
  await socket.next("plan", ({ breakouts }) => `${breakouts}` === "1,2");
  expect(await socket.next("breakout")).toMatchObject({ breakout: expect.any(Number) });
  expect(await socket.next("breakout")).toMatchObject({ breakout: expect.any(Number) });
  const { breakouts } = await event(third, "breakouts");
  expect(breakouts?.rooms).toEqual([
    { id: 1, name: "Red" },
    { id: 2, name: "Blue" },
  ]);
  expect(breakouts?.places.map(({ participant }) => participant).sort()).toEqual(
    [second.welcome.you, third.welcome.you].sort(),
  );
  second.socket.send(chat("in red"));
  await second.socket.next("chatAccepted");
  host.socket.send(chat("to all", { broadcast: true }));
  for (const client of [second, third]) {
    await event(client, "chat", ({ message }) => message.text === "to all");
  }
  await event(third, "unseen");
  second.socket.send(go(second, null));
  await event(host, "breakoutPlace", ({ place }) => place.away);
  expect(await socket.next("breakout")).toMatchObject({ participant: second.welcome.you, breakout: null });

  await world.restart();

  const again = await back(room, host);
  const { place, chat: read } = await placeOf(gus, room);
  expect(place).toMatchObject({ breakout: 2, away: false });
  expect(read).toEqual(["to all"]);
  expect((await placeOf(bob, room)).place).toMatchObject({ breakout: 1, away: true });
  again.socket.send({ type: "closeBreakouts" });
  const closed = await event(again, "breakouts", ({ breakouts }) => breakouts === null);
  expect(closed).toEqual({ type: "breakouts", breakouts: null });
  const { client: late } = await placeOf(gus, room);
  expect(late.welcome.snapshot?.breakouts).toBeNull();
  // The next are others: what was said in the first is not theirs.
  again.socket.send(open(["Red"], { assignment: "free" }));
  const next = await event(again, "breakouts", ({ breakouts }) => breakouts?.rooms[0]?.id === 3);
  expect(next.breakouts?.rooms).toEqual([{ id: 3, name: "Red" }]);
  late.socket.send(go(late, 3));
  const shown = await late.socket.next("chatShown");
  expect(shown.lines.map(({ text }) => text)).toEqual(["to all"]);
});

test("when their time is over all are back, also where workerd was away in between", async () => {
  const { bob, room, host, second } = await meeting();
  host.socket.send(open(["Red"], { seconds: 10 }));
  const { breakouts } = await event(second, "breakouts");
  const endsAt = breakouts?.endsAt ?? 0;
  expect(endsAt).toBeGreaterThan(0);
  await world.restart();
  // Nobody says anything: the alarm alone brings them back.
  const again = await back(room, second);
  const over = await again.socket.next(
    "event",
    ({ event }) => event.type === "breakouts" && event.breakouts === null,
    20_000,
  );
  expect(over.event).toEqual({ type: "breakouts", breakouts: null });
  expect(Date.now()).toBeGreaterThanOrEqual(endsAt);
  expect((await placeOf(bob, room)).place).toBeUndefined();
}, 40_000);

test("who keeps no order opens, moves and says nothing to all", async () => {
  const { host, second, third } = await meeting();
  for (const said of [open(["Red"]), { type: "closeBreakouts" }, chat("x", { broadcast: true })]) {
    third.socket.send(said);
    expect(await third.socket.next("error")).toMatchObject({ code: "forbidden" });
  }
  host.socket.send(open(["Red", "Blue"], { assignment: "byHand" }));
  await event(third, "breakouts");
  third.socket.send(go(third, 1));
  expect(await third.socket.next("error")).toMatchObject({ code: "forbidden", of: "moveToBreakout" });
  third.socket.send(go(second, null));
  expect(await third.socket.next("error")).toMatchObject({ code: "forbidden" });
  host.socket.send(go(third, 9));
  expect(await host.socket.next("error")).toMatchObject({ code: "unknownBreakout" });
});

test("their time is prolonged and shortened, also over a restart", async () => {
  const { room, host, second } = await meeting();
  host.socket.send(open(["Red"], { seconds: 600 }));
  const { breakouts } = await event(second, "breakouts");
  host.socket.send(limit(1_200));
  const more = await event(second, "breakouts");
  expect((more.breakouts?.endsAt ?? 0) - (breakouts?.endsAt ?? 0)).toBeGreaterThan(500_000);
  second.socket.send(limit(null));
  expect(await second.socket.next("error")).toMatchObject({ code: "forbidden", of: "limitBreakouts" });
  await world.restart();
  const again = await back(room, host);
  again.socket.send(limit(10));
  expect(
    (await event(again, "breakouts", ({ breakouts }) => breakouts !== null)).breakouts?.rooms,
  ).toHaveLength(1);
  // Nobody does anything: the room's alarm brings them back.
  const isOver = ({ event }: { event: RoomEvent }) => event.type === "breakouts" && event.breakouts === null;
  await again.socket.next("event", isOver, 20_000);
});

test("what was written in the main room is not said in a breakout, and a page goes on over what is not shown", async () => {
  const { host, second } = await meeting();
  for (let line = 0; line < 25; line++) {
    host.socket.send(chat(`before ${line}`, { breakout: null }));
    await host.socket.next("chatAccepted");
  }
  host.socket.send(open(["Red", "Blue"]));
  await event(second, "breakouts");
  second.socket.send(chat("for all", { breakout: null }));
  expect(await second.socket.next("error")).toMatchObject({
    code: "elsewhere",
    nonce: "for all",
    of: "chat",
  });
  const { breakout } = (await event(host, "breakouts")).breakouts?.places.find(
    ({ participant }) => participant === second.welcome.you,
  ) ?? { breakout: null };
  second.socket.send(chat("here", { breakout }));
  const { id } = await second.socket.next("chatAccepted");
  // The 25 lines of the main room are read at once, in parts of three, and none of them is shown.
  second.socket.send({ type: "chatHistory", before: id, limit: 3 });
  expect(await second.socket.next("chatPage")).toMatchObject({ before: id, lines: [], next: null });
});
