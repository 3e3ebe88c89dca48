// The stage of a webinar: viewers ask in their order and are refused, brought on stage and sent back, over a restart; their node is
// told what they may send, and no session is begun anew.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Door } from "../../web/sdk/src/generated/protocol.ts";
import { FakeNode } from "./fake-node.ts";
import { Client, World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

const wish = (client: Client, of: string) =>
  client.socket.next("event", ({ event }) => event.type === "stage" && event.wish === of);
const role = (client: Client, of: string) =>
  client.socket.next("event", ({ event }) => event.type === "role" && event.role === of);
const refusal = async (client: Client, message: { type: string }) => {
  client.socket.send(message);
  return (await client.socket.next("error", ({ of }) => of === message.type)).code;
};

test("a viewer asks, is brought on stage and sent back, in one session", async () => {
  const ada = await world.person("Ada");
  const room = await ada.createRoom("Talk", { kind: "webinar" });
  expect((await world.call<Door>(`/api/rooms/${room.id}/door`)).body).toMatchObject({ webinar: true });
  const meeting = await ada.createRoom("Meeting");
  expect((await world.call<Door>(`/api/rooms/${meeting.id}/door`)).body).toMatchObject({ webinar: false });

  const node = await FakeNode.register(world, "eu-1", "eu-west");
  const host = await ada.enter(room);
  const link = await node.openRoom();
  await link.socket.next("plan");
  const viewer = await (await world.guest(room, "Gil")).enter(room);
  viewer.socket.send({ type: "offer", attempt: 1, sdp: "v=0", sources: [] });
  const { participant, caps } = await link.socket.next("offer");
  expect(caps).toMatchObject({ audio: false, video: false, screen: false });
  link.socket.send({ type: "answer", participant, attempt: 1, sdp: "v=0 answer" });
  await viewer.socket.next("answer");

  expect(await refusal(host, { type: "askToSpeak", on: true } as { type: string })).toBe("forbidden");
  viewer.socket.send({ type: "raiseHand" });
  viewer.socket.send({ type: "askToSpeak", on: true });
  expect((await wish(host, "asked")).event).toMatchObject({ participants: [participant] });
  host.socket.send({ type: "setRole", participant, role: "speaker" });
  expect(await link.socket.next("caps")).toMatchObject({ participant, caps: { audio: true, video: true } });
  await role(viewer, "speaker");
  await viewer.socket.next("event", ({ event }) => event.type === "hand" && !event.raised);
  host.socket.send({ type: "setRole", participant, role: "viewer" });
  expect(await link.socket.next("caps")).toMatchObject({ participant, caps: { audio: false, video: false } });
  await role(viewer, "viewer");
  for (const type of ["renegotiate", "closed"] as const) expect(viewer.socket.pending(type)).toEqual([]);
  expect(link.socket.pending("offer")).toEqual([]);
  node.die();
});

test("who asks is known after a restart, takes it back, or is refused, and that is noted", async () => {
  const ada = await world.person("Ada");
  const room = await ada.createRoom("Talk", { kind: "webinar" });
  const host = await ada.enter(room);
  const viewers: Client[] = [];
  for (const name of ["Bob", "Cid", "Dan"]) {
    const viewer = await (await world.person(name)).enter(room);
    viewer.socket.send({ type: "askToSpeak", on: true });
    await wish(viewer, "asked");
    viewers.push(viewer);
  }
  const [bob, cid, dan] = viewers as [Client, Client, Client];
  expect(await refusal(bob, { type: "refuseToSpeak", participant: null } as { type: string })).toBe(
    "forbidden",
  );

  await world.restart();

  const back = await Client.open(world, host.resume(room, host.welcome.seq));
  const asking = async () => (await ada.enter(room)).welcome.snapshot?.wishes;
  expect(await asking()).toEqual(viewers.map(({ welcome }) => welcome.you));
  const again = await Client.open(world, cid.resume(room, cid.welcome.seq));
  again.socket.send({ type: "askToSpeak", on: false });
  await wish(back, "withdrawn");
  expect(await asking()).toEqual([bob.welcome.you, dan.welcome.you]);
  back.socket.send({ type: "refuseToSpeak", participant: bob.welcome.you });
  await wish(back, "refused");
  back.socket.send({ type: "refuseToSpeak", participant: null });
  expect((await wish(back, "refused")).event).toMatchObject({ participants: [dan.welcome.you] });
  expect(await asking()).toEqual([]);
  const { body } = await ada.call(`/api/rooms/${room.id}/audit`);
  expect(body).toMatchObject({
    entries: [
      { on: null, deed: { type: "refusedToSpeak" } },
      { on: { name: "Bob" }, deed: { type: "refusedToSpeak" } },
    ],
  });
});
