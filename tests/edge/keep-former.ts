// Keeps what a build stores, as `former/NAME.json`, for later builds to open: `npm run former NAME [BUILD]`.
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { FakeNode } from "./fake-node.ts";
import type { Former } from "./former.ts";
import { type Client, type Modules, World } from "./world.ts";

const [name = "", build = "../../edge/build"] = process.argv.slice(2);
const modules: Modules = { root: resolve(build), scripts: [{ path: "index.js" }], wasm: "index_bg.wasm" };
const key = "the key of a fixture, and of nothing else";
const world = await World.start({ CONNECT_ID_KEY: key }, { modules });
const people = await Promise.all(["Ada", "Bob", "Eve", "Gil", "Cy"].map((name) => world.person(name)));
const [ada, bob, eve, gil, cy] = people as [(typeof people)[0], ...typeof people];
if (!bob || !eve || !gil || !cy) throw new Error("not everybody is there");
const login = (password: string, headers = {}) =>
  world.call("/api/auth/login", { body: { email: bob.email, password }, headers });
await login("wrong");
await login("wrong", { cookie: bob.cookies.device });
const room = await ada.createRoom("Former", { chatDays: 300 });
await bob.createRoom("Bob's");
const node = await FakeNode.register(world, "eu-1", "eu-west");
const host = await ada.enter(room);
const link = await node.openRoom();
const guest = await bob.enter(room, { decodes: ["vp8", "h264"] });
guest.socket.send({ type: "offer", attempt: 1, sdp: "v=0", sources: [] });
const { participant } = await link.socket.next("offer");
link.socket.send({ type: "answer", participant, attempt: 1, sdp: "v=0 answer" });
link.socket.send({ type: "connected", participant, attempt: 1 });
await guest.socket.next("answer");
const say = async (client: Client, nonce: string, more: object = {}) => {
  client.socket.send({ type: "chat", nonce, text: nonce, ...more });
  await client.socket.next("chatAccepted");
};
await say(host, "one");
await say(guest, "to the host", { to: ada.user.id, replyTo: "1" });
await say(guest, "three", { mentions: [ada.user.id] });
host.socket.send({ type: "reactToChat", id: "3", reaction: "heart", on: true });
const draft = { question: "Tea?", options: ["yes", "no"], anonymous: false };
for (const nonce of ["first", "second"]) {
  host.socket.send({ type: "createPoll", nonce, draft });
  await host.socket.next("pollCreated");
}
for (const poll of [1, 2]) {
  guest.socket.send({ type: "vote", poll, choices: [poll - 1] });
  await guest.socket.next("ownVotes", ({ votes }) => votes.some((vote) => vote.poll === poll));
}
host.socket.send({ type: "closePoll", poll: 1 });
guest.socket.send({ type: "raiseHand", raised: true });
host.socket.send({
  type: "setCaps",
  participant: guest.welcome.you,
  caps: { audio: false, video: true, screen: true },
});
const banned = await eve.enter(room);
host.socket.send({ type: "ban", participant: banned.welcome.you });
await banned.socket.closed;
const moving = await gil.enter(room);
const moved = await gil.enter(room, { moveHere: true });
await moving.socket.closed;
await host.socket.next("event", ({ event }) => event.type === "left" && event.reason === "moved");
host.socket.send({ type: "setRole", participant: moved.welcome.you, role: "moderator" });
host.socket.send({ type: "spotlight", participant: moved.welcome.you, on: true });
host.socket.send({ type: "configure", change: { lobby: true } });
host.socket.send({ type: "setPassword", password: "a room's password" });
await host.socket.next("event", ({ event }) => event.type === "settings" && event.settings.hasPassword);
const knocking = await cy.join(room, { password: "a room's password" });
await say(host, "four");
const former: Former = {
  key,
  at: Date.now(),
  room: room.id,
  you: host.welcome.you,
  resume: host.welcome.resumeToken,
  email: ada.email,
  users: Object.fromEntries(people.map(({ user }) => [user.name, user.id])),
  knocking: knocking.participant,
  audit: (await ada.call<{ entries: object[] }>(`/api/rooms/${room.id}/audit`)).body.entries.length,
  objects: {},
};
node.die();
await world.restart((disk) => {
  former.objects = disk.dump();
});
await world.stop();
writeFileSync(join("former", `${name}.json`), `${JSON.stringify(former, null, 1)}\n`);
