// Where a sender goes on under other SSRCs, as an encoder that starts anew may, and names the m-line in each packet, no frame is missing.
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { after, it } from "node:test";
import { setTimeout } from "node:timers/promises";
import { useSdesMid } from "werift";
import { framesOf, INTERVAL_MS, numberOf, Packetizer } from "./frames.ts";
import { node, stopNode } from "./node.ts";
import { KINDS } from "./stack.ts";
import { connect, offered, werift } from "./werift.ts";

after(stopNode);

/** Four seconds of pictures. */
const FRAMES = 120;
/** Keyframes with which other SSRCs begin. */
const CHANGES = [45, 75, 105];
/** A slot has begun by this frame. */
const BEGINNING = 45;

/** A client that can take other SSRCs. */
async function changeling() {
  const headerExtensions = { audio: [useSdesMid()], video: [useSdesMid()] };
  const [connection, tracks] = connect({ headerExtensions });
  const senders = KINDS.map(
    (kind) => connection.addTransceiver(tracks[kind], { direction: "sendonly" }).sender,
  );
  const peer = await offered(connection, tracks);
  const change = () => {
    for (const sender of senders) Object.assign(sender, { ssrc: randomInt(1, 2 ** 32) });
  };
  return { peer, change };
}

it("pictures go on under other SSRCs without a missing frame", async () => {
  const room = await (await node()).room();
  const { peer, change } = await changeling();
  const viewer = await werift.offer({});
  try {
    for (const each of [viewer, peer]) await each.accept(await room.join(each));
    const packetizer = new Packetizer("video", 1);
    for (let number = 0; number < FRAMES; number++) {
      if (CHANGES.includes(number)) change();
      for (const packet of packetizer.packets(number)) peer.send("video", packet);
      await setTimeout(INTERVAL_MS.video);
    }
    const shown = () => framesOf("video", viewer.received("video")).map((frame) => numberOf("video", frame));
    while (shown().at(-1) !== FRAMES - 1) await setTimeout(INTERVAL_MS.video);
    const numbers = shown();
    const first = numbers[0] ?? FRAMES;
    assert.ok(first < BEGINNING, `the first frame that comes is ${first}`);
    const expected = Array.from({ length: FRAMES - first }, (_, at) => first + at);
    assert.deepEqual(numbers, expected);
  } finally {
    await peer.close();
    await viewer.close();
    room.release();
  }
});
