// Webhooks: what happens in a room arrives at its owner's server, signed, once for each thing; and what does not arrive is sent again.
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type {
  CreatedKey,
  Delivery,
  DeliveryList,
  Endpoint,
  EndpointList,
  EndpointSecret,
  EventKind,
} from "../../web/sdk/src/generated/protocol.ts";
import { Receiver } from "./receiver.ts";
import { type Call, type Person, World } from "./world.ts";

const LOCAL = { CONNECT_WEBHOOKS_TO_LOCAL: "true" };
const EVENTS: EventKind[] = ["room.started", "room.ended", "participant.joined", "participant.left"];
/** Until something arrives that is sent again after five seconds, on a busy machine. */
const SOON = { timeout: 40_000 };

let world: World;
let receiver: Receiver;
beforeAll(async () => {
  world = await World.start(LOCAL);
});
beforeEach(async () => {
  receiver = await Receiver.start();
});
afterEach(() => receiver.stop());
afterAll(() => world.stop());

async function webhook(person: Person, events: EventKind[] = EVENTS, path = "/hook", headers = {}) {
  const body = { url: receiver.url + path, events };
  const made = (await person.call<EndpointSecret>("/api/v1/webhooks", { body, headers })).body;
  receiver.secrets = [made.secret];
  return made;
}

const list = async (person: Person): Promise<Endpoint[]> =>
  (await person.call<EndpointList>("/api/v1/webhooks")).body.webhooks;
const log = async (person: Person, { id }: { id: string }): Promise<Delivery[]> =>
  (await person.call<DeliveryList>(`/api/v1/webhooks/${id}/deliveries`)).body.deliveries;
const post = (person: Person, { id }: { id: string }, what: string, call: Call = {}) =>
  person.call<Delivery & EndpointSecret>(`/api/v1/webhooks/${id}/${what}`, { body: {}, ...call });

test("a call is told from its beginning to its end, signed, and chat to who asked for it", async () => {
  const [ada, bob] = await Promise.all([world.person("Ada"), world.person("Bob")]);
  const made = await webhook(ada, [...EVENTS, "chat.message"]);
  expect(made).toMatchObject({ url: `${receiver.url}/hook`, disabled: null, failingSince: null });
  expect(made.secret).toMatch(/^whsec_[\w+/]{43}=$/);
  const room = await ada.createRoom("Tea");
  const host = await ada.enter(room);
  const guest = await bob.enter(room);
  guest.socket.send({ type: "chat", nonce: "a", text: "to the host", to: ada.user.id });
  guest.socket.send({ type: "chat", nonce: "b", text: "hello" });
  await guest.socket.next("chatAccepted", ({ nonce }) => nonce === "b");
  guest.socket.send({ type: "leave" });
  await guest.socket.closed;
  host.socket.send({ type: "leave" });
  const order = ["room.started", "participant.joined", "participant.joined", "chat.message"];
  const end = ["participant.left", "participant.left", "room.ended"];
  await expect.poll(() => receiver.kinds().sort(), SOON).toEqual([...order, ...end].sort());
  const told = receiver.received.toSorted((a, b) => a.timestamp - b.timestamp);
  expect(told.map(({ data }) => data.room)).toEqual(Array(7).fill({ id: room.id, name: "Tea" }));
  const line = told.find(({ type }) => type === "chat.message");
  expect(line?.data.message).toMatchObject({ text: "hello", name: "Bob" });
  const left = told.find(({ type, data }) => type === "participant.left" && data.participant?.name === "Bob");
  expect(left?.data).toMatchObject({ participant: { user: bob.user.id, role: "speaker" }, reason: "left" });
  expect(receiver.forged).toEqual([]);
  expect(new Set(told.map(({ id }) => id)).size).toBe(7);
  await expect
    .poll(async () => (await log(ada, made)).map(({ state }) => state))
    .toEqual(Array(7).fill("delivered"));
});

test("only who wants it is told, and a room asks again after a minute", async () => {
  const ada = await world.person("Ada");
  const room = await ada.createRoom();
  const first = await ada.enter(room);
  const made = await webhook(ada, ["participant.left"]);
  await world.restart((disk) =>
    disk.room(first.welcome.you, (database) => database.exec("UPDATE wanted SET at = at - 60000")),
  );
  const host = await ada.enter(room);
  host.socket.send({ type: "leave" });
  await expect.poll(() => receiver.kinds(), SOON).toContain("participant.left");
  expect((await log(ada, made)).map(({ event }) => event)).toContain("participant.left");
  expect(receiver.kinds()).not.toContain("participant.joined");
});

test("what fails is sent again under the same id until it arrives", async () => {
  const ada = await world.person("Ada");
  const made = await webhook(ada);
  receiver.manner = { status: 500 };
  const { status, body } = await post(ada, made, "test");
  expect([status, body.state, body.tries]).toEqual([202, "waiting", 0]);
  await expect.poll(() => receiver.received.length, SOON).toBe(1);
  await expect
    .poll(async () => (await log(ada, made))[0])
    .toMatchObject({ state: "waiting", tries: 1, status: 500, error: "it answered 500" });
  expect((await list(ada))[0]?.failingSince).toBeGreaterThan(0);
  receiver.manner = { status: 200 };
  await expect
    .poll(async () => (await log(ada, made))[0], SOON)
    .toMatchObject({ state: "delivered", tries: 2, status: 200, error: null, due: null });
  expect(receiver.received.map(({ id, before }) => [id, before])).toEqual([
    [body.id, 0],
    [body.id, 1],
  ]);
  expect(receiver.forged).toEqual([]);
  expect((await list(ada))[0]?.failingSince).toBeNull();
});

test("who does not answer holds up neither others nor for ever, and nobody is followed elsewhere", async () => {
  const ada = await world.person("Ada");
  const elsewhere = await Receiver.start();
  const hanging = await webhook(ada, EVENTS, "/hanging");
  receiver.manner = "hang";
  await post(ada, hanging, "test");
  await expect.poll(() => receiver.received.length, SOON).toBe(1);
  const leading = await Receiver.start();
  leading.manner = { status: 307, headers: { location: `${elsewhere.url}/inside` } };
  const body = { url: leading.url, events: EVENTS };
  const second = (await ada.call<EndpointSecret>("/api/v1/webhooks", { body })).body;
  await post(ada, second, "test");
  await expect
    .poll(async () => (await log(ada, second))[0], SOON)
    .toMatchObject({ state: "waiting", status: 307, error: "it leads elsewhere, where nothing is sent" });
  await expect
    .poll(async () => (await log(ada, hanging))[0], SOON)
    .toMatchObject({ status: null, error: "it did not answer within 10 s" });
  expect(elsewhere.received).toEqual([]);
  elsewhere.stop();
  leading.stop();
});

test("workerd is ended in the middle of a delivery, and it arrives", async () => {
  const ada = await world.person("Ada");
  const made = await webhook(ada);
  receiver.manner = "hang";
  const room = await ada.createRoom();
  await ada.enter(room);
  await expect.poll(() => receiver.kinds().sort(), SOON).toEqual(["participant.joined", "room.started"]);
  await world.restart();
  receiver.manner = { status: 204 };
  await expect
    .poll(
      () =>
        receiver.received
          .filter(({ before }) => before > 0)
          .map(({ type }) => type)
          .sort(),
      SOON,
    )
    .toEqual(["participant.joined", "room.started"]);
  await expect
    .poll(async () => (await log(ada, made)).map(({ state }) => state), SOON)
    .toContain("delivered");
  expect(receiver.forged).toEqual([]);
});

test("who takes nothing for three days is disabled with a word, and enabled by its owner", async () => {
  const ada = await world.person("Ada");
  const made = await webhook(ada);
  receiver.manner = { status: 503 };
  await post(ada, made, "test");
  await expect.poll(async () => (await list(ada))[0]?.failingSince, SOON).toBeGreaterThan(0);
  await world.restart((disk) =>
    disk.object("DeveloperObject", ["endpoints", made.id], (database) =>
      database.exec("UPDATE endpoints SET failing_since = failing_since - 259200000"),
    ),
  );
  await expect.poll(async () => (await list(ada))[0]?.disabled, SOON).toBe("it took nothing for three days");
  expect((await log(ada, made)).map(({ state, due }) => [state, due])).toEqual([["givenUp", null]]);
  expect(await post(ada, made, "test")).toMatchObject({ status: 409, body: { type: "/problems/disabled" } });
  receiver.manner = { status: 200 };
  const enabled = { method: "PATCH", body: { enabled: true } };
  expect((await ada.call(`/api/v1/webhooks/${made.id}`, enabled)).body).toMatchObject({
    disabled: null,
    failingSince: null,
  });
  const { body } = await post(ada, made, "test");
  await expect
    .poll(async () => (await log(ada, made)).find(({ id }) => id === body.id)?.state, SOON)
    .toBe("delivered");
  receiver.manner = { status: 410 };
  await post(ada, made, "test");
  await expect.poll(async () => (await list(ada))[0]?.disabled, SOON).toBe("it said that it is gone (410)");
});

test("a secret is replaced without a gap, an endpoint is made once for its key, and there are so many", async () => {
  const ada = await world.person("Ada");
  const headers = { "idempotency-key": "one" };
  const made = await webhook(ada, EVENTS, "/hook", headers);
  expect((await webhook(ada, EVENTS, "/hook", headers)).secret).toBe(made.secret);
  const rotated = (await post(ada, made, "secret")).body;
  expect(rotated.secret).not.toBe(made.secret);
  receiver.secrets = [made.secret, rotated.secret];
  await post(ada, made, "test");
  await expect.poll(() => receiver.kinds(), SOON).toEqual(["test"]);
  expect(receiver.forged).toEqual([]);
  for (let count = 1; count < 10; count += 1) await webhook(ada);
  const body = { url: receiver.url, events: EVENTS };
  expect((await ada.call("/api/v1/webhooks", { body })).body.type).toBe("/problems/enough");
  expect((await ada.call(`/api/v1/webhooks/${made.id}`, { method: "DELETE" })).status).toBe(204);
  expect((await post(ada, made, "test")).status).toBe(404);
  expect((await list(ada)).length).toBe(9);
  const key = async (scopes: string[]) =>
    (await ada.call<CreatedKey>("/api/v1/keys", { body: { name: "Hooks", scopes } })).body.secret;
  const other = await world.person("Eve");
  expect(await list(other)).toEqual([]);
  const [first] = await list(ada);
  expect((await post(other, first ?? made, "test")).status).toBe(404);
  expect((await world.call("/api/v1/webhooks", { token: await key(["webhooks:write"]) })).status).toBe(200);
  expect((await world.call("/api/v1/webhooks", { token: await key(["rooms:read"]) })).status).toBe(403);
});

test("outside of development nothing goes to a private address, however it is written or found", async () => {
  // Where names lead is looked at by workerd, which is let to public addresses alone: so the second part tries it without the rule.
  const strict = await World.start();
  const ada = await strict.person("Ada");
  const make = (url: string) => ada.call("/api/v1/webhooks", { body: { url, events: EVENTS } });
  for (const url of [
    "http://example.com/",
    "https://127.0.0.1/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://[::ffff:127.0.0.1]/",
    "https://localhost/",
    "https://metadata.google.internal/",
    "https://user:pass@example.com/",
    "nonsense",
  ]) {
    const { status, body } = await make(url);
    expect([url, status, body.errors?.[0]?.field]).toEqual([url, 422, "url"]);
  }
  expect((await make("https://example.com/hook")).status).toBe(201);
  await strict.stop();
  const walled = await World.start(LOCAL, { publicOnly: true });
  const eve = await walled.person("Eve");
  const made = await webhook(eve);
  await post(eve, made, "test");
  await expect
    .poll(async () => (await log(eve, made))[0], SOON)
    .toMatchObject({ tries: 1, status: null, error: "it could not be reached" });
  expect(receiver.received).toEqual([]);
  await walled.stop();
});
