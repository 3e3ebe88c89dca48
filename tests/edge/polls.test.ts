// Polls: made once, voted in once by each user, and neither lost nor counted twice over a restart.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ServerMessage } from "../../web/sdk/src/generated/protocol.ts";
import { Client, World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

const draft = { question: "Tea?", options: ["yes", "no", "later"] };
const create = (nonce: string, fields: object = {}) => ({
  type: "createPoll",
  nonce,
  draft: { ...draft, ...fields },
});
const results = (counts: number[] | null) => (message: Extract<ServerMessage, { type: "event" }>) =>
  message.event.type === "pollResults" && `${message.event.results.counts}` === `${counts}`;

test("what was acknowledged is there after a restart, and sent again is the same", async () => {
  const [ada, bob] = await Promise.all([world.person("Ada"), world.person("Bob")]);
  const room = await ada.createRoom();
  const host = await ada.enter(room);
  const guest = await bob.enter(room);
  for (let i = 0; i < 2; i++) host.socket.send(create("n1", { multiple: true }));
  const made = [await host.socket.next("pollCreated"), await host.socket.next("pollCreated")];
  expect(made[0]).toEqual({ type: "pollCreated", nonce: "n1", poll: 1 });
  expect(made[1]).toEqual(made[0]);
  await guest.socket.next("event", ({ event }) => event.type === "poll");
  guest.socket.send({ type: "vote", poll: 1, choices: [2, 0] });
  expect(await guest.socket.next("ownVotes")).toMatchObject({ votes: [{ poll: 1, choices: [0, 2] }] });
  await host.socket.next("event", results([1, 0, 1]));

  await world.restart();

  const back = await Client.open(world, guest.resume(room, guest.welcome.seq));
  expect(await back.socket.next("ownVotes")).toMatchObject({ votes: [{ poll: 1, choices: [0, 2] }] });
  back.socket.send({ type: "vote", poll: 1, choices: [0, 2] });
  await back.socket.next("ownVotes");
  // Another participant of the same user changes the one vote.
  const tab = await bob.enter(room);
  expect(tab.welcome.snapshot?.polls[0]).toMatchObject({
    ...draft,
    results: { voters: 1, counts: [1, 0, 1] },
  });
  await tab.socket.next("ownVotes");
  tab.socket.send({ type: "vote", poll: 1, choices: [1] });
  expect(await back.socket.next("ownVotes")).toMatchObject({ votes: [{ poll: 1, choices: [1] }] });
  const again = await Client.open(world, host.resume(room, host.welcome.seq));
  again.socket.send(create("n1"));
  expect(await again.socket.next("pollCreated")).toMatchObject({ nonce: "n1", poll: 1 });
  again.socket.send({ type: "showVotes", poll: 1 });
  const { votes } = await again.socket.next("pollVotes");
  expect(votes).toEqual([{ user: bob.user.id, name: "Bob", choices: [1] }]);
  again.socket.send({ type: "closePoll", poll: 1 });
  await again.socket.next("event", ({ event }) => event.type === "poll" && event.poll.closedAt !== null);
  await world.restart();
  const last = await bob.enter(room);
  expect(last.welcome.snapshot?.polls).toMatchObject([{ id: 1, results: { voters: 1, counts: [0, 1, 0] } }]);
  last.socket.send({ type: "vote", poll: 1, choices: [0] });
  expect(await last.socket.next("error", ({ of }) => of === "vote")).toMatchObject({ code: "pollClosed" });
});

test("an anonymous poll tells nobody who voted, in no message and after no restart", async () => {
  const ada = await world.person("Ada");
  const voters = await Promise.all(["Bob", "Cid", "Dot"].map((name) => world.person(name)));
  const room = await ada.createRoom();
  const host = await ada.enter(room);
  host.socket.send(create("n", { anonymous: true }));
  await host.socket.next("pollCreated");
  for (const [place, person] of voters.entries()) {
    const client = await person.enter(room);
    client.socket.send({ type: "vote", poll: 1, choices: [place % 2] });
    await client.socket.next("ownVotes", ({ votes }) => votes.length > 0);
  }
  const told = [
    await host.socket.next("event", results(null)),
    await host.socket.next("event", results(null)),
    await host.socket.next("event", results([2, 1, 0])),
  ];
  for (const { user } of voters) expect(JSON.stringify(told)).not.toContain(user.id);
  host.socket.send({ type: "showVotes", poll: 1 });
  const asked = await host.socket.next("error", ({ of }) => of === "showVotes");
  expect(asked).toMatchObject({ code: "forbidden" });
  host.socket.send({ type: "closePoll", poll: 1 });
  await host.socket.next("event", ({ event }) => event.type === "poll" && event.poll.closedAt !== null);
  let stored: unknown[] = [{}];
  await world.restart((disk) => {
    const ballots = "SELECT user FROM ballots";
    stored = disk.room(host.welcome.you, (database) => database.prepare(ballots).all());
  });
  expect(stored).toEqual([]);
  const back = await ada.enter(room);
  expect(back.welcome.snapshot?.polls[0]?.results).toEqual({ voters: 3, counts: [2, 1, 0] });
});

test("results wait for the closing where the poll says so", async () => {
  const [ada, bob] = await Promise.all([world.person("Ada"), world.person("Bob")]);
  const room = await ada.createRoom();
  const [host, guest] = [await ada.enter(room), await bob.enter(room)];
  host.socket.send(create("n", { shows: "atClosing" }));
  await guest.socket.next("event", ({ event }) => event.type === "poll");
  guest.socket.send({ type: "vote", poll: 1, choices: [0] });
  await guest.socket.next("event", results(null));
  host.socket.send({ type: "closePoll", poll: 1 });
  const closed = await guest.socket.next("event", ({ event }) => event.type === "poll");
  expect(closed.event).toMatchObject({ poll: { results: { voters: 1, counts: [1, 0, 0] } } });
  host.socket.send({ type: "deletePoll", poll: 1 });
  await guest.socket.next("event", ({ event }) => event.type === "pollDeleted");
  host.socket.send(create("n"));
  expect(await host.socket.next("pollCreated", ({ nonce }) => nonce === "n")).toMatchObject({ poll: 1 });
});

test("what may not be is refused", async () => {
  const [ada, bob] = await Promise.all([world.person("Ada"), world.person("Bob")]);
  const room = await ada.createRoom();
  const [host, guest] = [await ada.enter(room), await bob.enter(room)];
  for (const [client, message, code] of [
    [guest, create("mine"), "forbidden"],
    [host, create("one", { options: ["only"] }), "malformed"],
    [host, create("long", { question: "x".repeat(1_001) }), "tooLarge"],
    [guest, { type: "vote", poll: 1, choices: [0] }, "unknownPoll"],
    [guest, { type: "vote", poll: "1 OR 1", choices: [0] }, "malformed"],
    [guest, { type: "vote", poll: 1, choices: [256] }, "malformed"],
  ] as const) {
    client.socket.send(message);
    expect(await client.socket.next("error"), JSON.stringify(message)).toMatchObject({
      code,
      of: message.type,
    });
  }
  for (let i = 0; i < 6; i++) host.socket.send(create(`n${i}`));
  const tooMany = await host.socket.next("error", ({ of }) => of === "createPoll");
  expect(tooMany).toMatchObject({ code: "tooMany", nonce: "n5" });
});
