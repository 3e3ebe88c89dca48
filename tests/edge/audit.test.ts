// The audit list: who did what to whom, read by the host alone, by pages, also after a restart.
import { afterAll, beforeAll, expect, test } from "vitest";
import { World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

interface Page {
  entries: { number: number; by: { name: string }; on: { name: string } | null; deed: { type: string } }[];
  before: number | null;
}

test("deeds are noted, outlive a restart, and are read by the host alone", async () => {
  const [ada, bob] = await Promise.all([world.person("Ada"), world.person("Bob")]);
  const room = await ada.createRoom();
  const path = `/api/rooms/${room.id}/audit`;
  expect((await ada.call(path)).body).toEqual({ entries: [], before: null });
  const host = await ada.enter(room);
  const guest = await bob.enter(room);
  const participant = guest.welcome.you;
  guest.socket.send({ type: "turnOff", participant: host.welcome.you, source: "camera" });
  await guest.socket.next("error");
  host.socket.send({ type: "setRole", participant, role: "moderator" });
  host.socket.send({ type: "configure", change: { share: "moderators" } });
  await host.socket.next("event", ({ event }) => event.type === "settings");
  for (const refused of [await bob.call(path), await (await world.person("Eve")).call(path)])
    expect(refused).toMatchObject({ status: 403 });
  expect((await ada.call(`${path}?before=x`)).status).toBe(422);
  await world.restart();
  const { body } = (await ada.call(path)) as unknown as { body: Page };
  expect(body).toMatchObject({
    before: null,
    entries: [
      { by: { name: "Ada" }, on: null, deed: { type: "settings", changed: { share: "moderators" } } },
      { on: { name: "Bob" }, deed: { type: "role", role: "moderator" } },
    ],
  });
});

test("a long list comes by pages, without a gap", async () => {
  const ada = await world.person("Ada");
  const room = await ada.createRoom();
  const host = await ada.enter(room);
  const participant = host.welcome.you;
  for (let deeds = 0; deeds < 55; deeds += 1) {
    host.socket.send({ type: "turnOff", participant, source: "screen" });
  }
  host.socket.send({ type: "configure", change: { chat: "moderators" } });
  await host.socket.next("event", ({ event }) => event.type === "settings");
  const path = `/api/rooms/${room.id}/audit`;
  const first = (await ada.call(path)).body as unknown as Page;
  const second = (await ada.call(`${path}?before=${first.before}`)).body as unknown as Page;
  expect([first.entries.length, second.entries.length, second.before]).toEqual([50, 6, null]);
  const numbers = [...first.entries, ...second.entries].map(({ number }) => number);
  expect(numbers).toEqual(Array.from({ length: 56 }, (_, index) => 56 - index));
});
