// From a registration to a WebSocket in a room.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RoomList, Session, User } from "../../web/sdk/src/generated/protocol.ts";
import { Client, World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());

test("somebody registers, is signed in, creates a room and enters it", async () => {
  const account = { email: " Ada@Example.com", password: "password123", name: "Ada" };
  const registered = await world.call<Session>("/api/auth/register", { body: account });
  expect(registered.status).toBe(201);
  expect(registered.body.expiresIn).toBe(3600);
  expect(registered.body.user).toMatchObject({ email: "ada@example.com", name: "Ada" });
  const cookie = registered.headers.get("set-cookie") ?? "";
  expect(cookie).toMatch(/^__Host-connect_refresh=/);
  expect(JSON.stringify(registered.body)).not.toContain(cookie.split(/[=;]/)[1]);

  const { body: session, status } = await world.call<Session>("/api/auth/login", {
    body: { email: "ada@example.com", password: "password123" },
  });
  expect(status).toBe(200);
  const token = session.token;
  expect((await world.call<User>("/api/auth/me", { token })).body).toEqual(registered.body.user);

  for (const path of ["/api/rooms", "/api/rooms/create"]) {
    const created = await world.call<{ id: string; people: number }>(path, {
      token,
      body: { name: "Standup" },
    });
    expect(created.status).toBe(200);
    expect(created.body).toMatchObject({ name: "Standup", owner: session.user.id, people: 0 });
    expect(created.body.id).toMatch(/^([bdfghjklmnprstvz][aeiou]){2}(-([bdfghjklmnprstvz][aeiou]){2}){3}$/);
  }
  const list = await world.call<RoomList>("/api/rooms", { token });
  expect(list.body.rooms).toHaveLength(2);
});

test("two people see each other come, change and go", async () => {
  const [ada, bob] = await Promise.all([world.person("Ada"), world.person("Bob")]);
  const room = await ada.createRoom();
  const first = await ada.enter(room);
  expect(first.welcome.snapshot?.participants.map((each) => [each.name, each.role])).toEqual([
    ["Ada", "host"],
  ]);

  const { url, participant } = await bob.join(room);
  expect(await bob.iceServers()).toEqual([]);
  const second = await Client.open(world, url);
  expect(second.welcome.you).toBe(participant);
  expect(second.welcome.snapshot?.participants).toHaveLength(2);
  const joined = await first.socket.next("event", ({ event }) => event.type === "joined");
  expect(joined.event).toMatchObject({ participant: { id: participant, name: "Bob", role: "speaker" } });

  const publishing = { microphone: true, camera: false, screen: false, codec: null };
  second.socket.send({ type: "publishing", publishing });
  const changed = await first.socket.next("event", ({ event }) => event.type === "publishing");
  expect(changed.event).toEqual({ type: "publishing", participant, publishing });

  const listed = await bob.call<RoomList>("/api/rooms");
  expect(listed.body.rooms[0]).toMatchObject({ id: room.id, people: 2 });

  second.socket.send({ type: "leave" });
  expect(await second.socket.next("closed")).toEqual({ type: "closed", reason: "left" });
  const left = await first.socket.next("event", ({ event }) => event.type === "left");
  expect(left.event).toEqual({ type: "left", participant, reason: "left" });
  first.socket.send("ping");
  await first.socket.next("pong" as "closed");
});

test("twenty people sign in and create rooms at the same time", async () => {
  const people = await Promise.all(Array.from({ length: 20 }, (_, i) => world.person(`User${i}`)));
  for (let round = 0; round < 3; round++) {
    const statuses = await Promise.all(
      people.map(async ({ email }) => {
        const login = await world.call<Session>("/api/auth/login", {
          body: { email, password: "password123" },
        });
        const room = await world.call("/api/rooms/create", {
          token: login.body.token,
          body: { name: "Load" },
        });
        return [login.status, room.status];
      }),
    );
    expect(new Set(statuses.flat())).toEqual(new Set([200]));
  }
});
