// Raised hands, reactions and the spotlight: told to everybody, there after a restart where they last, and refused where they may not be.
import { afterAll, beforeAll, expect, test } from "vitest";
import { Client, World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

async function three() {
  const people = await Promise.all(["Ada", "Bob", "Cid"].map((name) => world.person(name)));
  const [ada, bob, cid] = people as [(typeof people)[0], (typeof people)[0], (typeof people)[0]];
  const room = await ada.createRoom();
  const [host, second, third] = [await ada.enter(room), await bob.enter(room), await cid.enter(room)];
  return { room, ada, host, second, third };
}
const refusal = async (client: Client, message: { type: string }) => {
  client.socket.send(message);
  return (await client.socket.next("error", ({ of }) => of === message.type)).code;
};

test("hands stay up in their order over a restart, and are lowered by one or all, or by going", async () => {
  const { room, ada, host, second, third } = await three();
  third.socket.send({ type: "raiseHand" });
  await second.socket.next("event", ({ event }) => event.type === "hand");
  for (let i = 0; i < 2; i++) second.socket.send({ type: "raiseHand" });
  host.socket.send({ type: "raiseHand" });
  await third.socket.next(
    "event",
    ({ event }) => event.type === "hand" && event.participant === host.welcome.you,
  );
  expect(await refusal(second, { type: "lowerAllHands" })).toBe("forbidden");
  const lower = { type: "lowerHand", participant: third.welcome.you };
  expect(await refusal(second, lower)).toBe("forbidden");

  await world.restart();

  const back = await Client.open(world, host.resume(room, host.welcome.seq));
  const order = [third, second, host].map(({ welcome }) => welcome.you);
  expect((await ada.enter(room)).welcome.snapshot?.hands).toEqual(order);
  back.socket.send({ type: "lowerHand", participant: host.welcome.you });
  const again = await Client.open(world, third.resume(room, third.welcome.seq));
  again.socket.send({ type: "leave" });
  await back.socket.next("event", ({ event }) => event.type === "left");
  expect((await ada.enter(room)).welcome.snapshot?.hands).toEqual([second.welcome.you]);
  back.socket.send({ type: "lowerAllHands" });
  await back.socket.next("event", ({ event }) => event.type === "handsLowered");
  expect((await ada.enter(room)).welcome.snapshot?.hands).toEqual([]);
});

test("a reaction is seen by everybody, and by nobody later", async () => {
  const { room, ada, host, second } = await three();
  second.socket.send({ type: "react", reaction: "heart" });
  const seen = { participant: second.welcome.you, reaction: "heart" };
  for (const client of [host, second]) expect(await client.socket.next("reacted")).toMatchObject(seen);
  expect(await refusal(second, { type: "react", reaction: "<b>" } as { type: string })).toBe("malformed");
  for (let i = 0; i < 12; i++) second.socket.send({ type: "react", reaction: "clap" });
  const limited = await second.socket.next("error", ({ of }) => of === "react");
  expect(limited).toMatchObject({ code: "rateLimited" });
  const later = await ada.enter(room);
  expect(later.socket.pending("reacted")).toEqual([]);
});

test("the spotlight is who keeps order's, has four places, and survives a restart", async () => {
  const { room, ada, host, second, third } = await three();
  const put = (participant: string, on = true) => ({ type: "spotlight", participant, on });
  expect(await refusal(second, put(second.welcome.you))).toBe("forbidden");
  expect(await refusal(host, put("nobody"))).toBe("unknownParticipant");
  host.socket.send(put(third.welcome.you));
  host.socket.send(put(host.welcome.you));
  const both = [third.welcome.you, host.welcome.you];
  await second.socket.next(
    "event",
    ({ event }) => event.type === "spotlight" && `${event.participants}` === `${both}`,
  );
  const more = [await ada.enter(room), await ada.enter(room), await ada.enter(room)];
  for (const { welcome } of more) host.socket.send(put(welcome.you));
  expect(await host.socket.next("error", ({ of }) => of === "spotlight")).toMatchObject({ code: "tooMany" });
  await world.restart();
  const back = await Client.open(world, host.resume(room, host.welcome.seq));
  const spotlit = (await ada.enter(room)).welcome.snapshot?.spotlight;
  expect(spotlit).toEqual([...both, more[0]?.welcome.you, more[1]?.welcome.you]);
  back.socket.send(put(third.welcome.you, false));
  await back.socket.next(
    "event",
    ({ event }) => event.type === "spotlight" && event.participants[0] === host.welcome.you,
  );
});
