// Prints how long a room takes to wake with few and with many lines of chat: from a restart to the welcome of somebody.
import { type Client, World } from "./world.ts";

const SIZES = [10, 1_000, 100_000, 1_000_000];
const TRIES = 5;

const world = await World.start({ CONNECT_USER_CAPACITY: "50" });
const ada = await world.person("Ada");
const times = new Map<number, number[]>(SIZES.map((size) => [size, []]));
const rooms = await Promise.all(
  SIZES.map(async (size) => {
    const room = await ada.createRoom(`${size} lines`);
    const client: Client = await ada.enter(room);
    client.socket.send({
      type: "chat",
      nonce: "n1",
      text: "A line of a usual length, as people write them in a call.",
    });
    await client.socket.next("chatAccepted");
    return { size, room, you: client.welcome.you };
  }),
);
await world.restart((disk) => {
  for (const { size, you } of rooms) {
    disk.room(you, (database) =>
      database.exec(`WITH RECURSIVE count(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM count WHERE n < ${size})
        INSERT INTO chat SELECT n, user, 'n' || n, size, value FROM count, chat WHERE number = 1`),
    );
  }
});
for (let attempt = 0; attempt < TRIES; attempt++) {
  for (const { size, room } of rooms) {
    const { url } = await ada.join(room);
    await world.restart();
    // The Worker itself is loaded by this.
    await world.call("/.well-known/jwks.json");
    const began = performance.now();
    const socket = new WebSocket(world.url.replace("http", "ws") + url);
    await new Promise((resolve) => socket.addEventListener("message", resolve, { once: true }));
    times.get(size)?.push(performance.now() - began);
    socket.close();
  }
}
for (const [size, taken] of times) {
  const sorted = taken.sort((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)] ?? 0;
  process.stdout.write(
    `${size} lines: welcomed ${middle.toFixed(1)} ms after the request (median of ${TRIES})\n`,
  );
}
await world.stop();
