// A call of two clients of one stack: each sends frames of both kinds, and what it gets is compared with what was sent.
import assert from "node:assert/strict";
import { frame, framesOf, INTERVAL_MS, numberOf, Packetizer } from "./frames.ts";
import { node } from "./node.ts";
import { Relay, through } from "./relay.ts";
import { KINDS, type Kind, type Peer, type Stack, UNREPAIRED, type Wish } from "./stack.ts";

/** How many frames of a kind are sent: four seconds of each. */
const FRAMES: Record<Kind, number> = { audio: 200, video: 120 };
/** Frames before a slot has begun, and before it is known how the path is. */
const BEGINNING: Record<Kind, number> = { audio: 50, video: 45 };
/** When nothing more has come for so long, nothing will. */
const QUIET_MS = 1_500;
const LOOK_MS = 50;

interface Call {
  /** Share of the media that is lost between each client and the node, both ways. */
  loss?: number;
  wish?: Wish;
}

/** Lets two clients talk; fails unless each frame arrives as it was sent, and all of them where losses are repaired. */
export async function call(stack: Stack, { loss = 0, wish = {} }: Call = {}): Promise<void> {
  const server = await node();
  const room = await server.room();
  const relays: Relay[] = [];
  const peers: Peer[] = [];
  try {
    for (const sender of [1, 2]) {
      const peer = await stack.offer(wish);
      peers.push(peer);
      const relay = await Relay.to(server.port, loss, sender);
      relays.push(relay);
      await peer.accept(through(relay.port, await room.join(peer)));
    }
    await Promise.all(peers.map((peer, index) => speak(peer, index + 1)));
    await silence(peers);
    if (loss > 0)
      for (const { dropped } of relays) assert.ok(dropped > 10, `${dropped} packets were dropped`);
    for (const [index, peer] of peers.entries()) {
      for (const kind of KINDS) {
        // No stack asks for sound again.
        const mayLack = kind === "audio" ? UNREPAIRED : stack.mayLack;
        compare(`${stack.name}, ${kind}`, kind, peer, 2 - index, loss > 0 ? mayLack : 0);
      }
      const compounds = peer.compounds?.();
      if (compounds && !/^a=rtcp-rsize\r?$/m.test(peer.sdp)) areWhole(stack.name, compounds);
    }
  } finally {
    for (const peer of peers) await peer.close();
    for (const relay of relays) relay.close();
    room.release();
  }
}

/** Sends all frames at their pace. */
async function speak(peer: Peer, sender: number): Promise<void> {
  const sending = KINDS.map(
    (kind) =>
      new Promise<void>((resolve) => {
        const packetizer = new Packetizer(kind, sender);
        let number = 0;
        const began = performance.now();
        const beat = setInterval(() => {
          // Timers are late now and then.
          while (number < FRAMES[kind] && performance.now() - began >= number * INTERVAL_MS[kind]) {
            for (const packet of packetizer.packets(number)) peer.send(kind, packet);
            number += 1;
          }
          if (number < FRAMES[kind]) return;
          clearInterval(beat);
          resolve();
        }, 5);
      }),
  );
  await Promise.all(sending);
}

/** Resolves once nothing comes any more. */
async function silence(peers: Peer[]): Promise<void> {
  const count = () =>
    peers.reduce((sum, peer) => sum + KINDS.reduce((n, kind) => n + peer.received(kind).length, 0), 0);
  let before = count();
  let changed = performance.now();
  await new Promise<void>((resolve) => {
    const look = setInterval(() => {
      const now = count();
      if (now !== before) {
        before = now;
        changed = performance.now();
      } else if (performance.now() - changed > QUIET_MS) {
        clearInterval(look);
        resolve();
      }
    }, LOOK_MS);
  });
}

/** Whoever does not offer reduced RTCP (RFC 5506) gets compounds: a report first, and who sends it (RFC 3550, 6.1). */
function areWhole(what: string, compounds: number[][]): void {
  const [senderReport, receiverReport, description] = [200, 201, 202];
  assert.ok(compounds.length > 0, `${what}: RTCP comes`);
  for (const types of compounds) {
    const isWhole = (types[0] === senderReport || types[0] === receiverReport) && types.includes(description);
    assert.ok(isWhole, `${what}: a packet of RTCP is of ${types}`);
  }
}

function compare(what: string, kind: Kind, peer: Peer, sender: number, mayLack: number): void {
  const frames = framesOf(kind, peer.received(kind));
  const numbers = new Set<number>();
  for (const received of frames) {
    const number = numberOf(kind, received);
    assert.ok(received.equals(frame(kind, sender, number)), `${what}: frame ${number} is not as it was sent`);
    numbers.add(number);
  }
  assert.equal(numbers.size, frames.length, `${what}: no frame comes twice`);
  const first = Math.min(...numbers);
  assert.ok(first <= BEGINNING[kind], `${what}: the first frame that comes is ${first}`);
  const missing = [];
  // The end of a stream has nothing behind it by which its loss would be noticed.
  const end = FRAMES[kind] - (mayLack === 0 ? 10 : 0);
  for (let number = first; number < end; number++) if (!numbers.has(number)) missing.push(number);
  const share = missing.length / (end - first);
  assert.ok(share <= mayLack, `${what}: of ${end - first} frames these are missing: ${missing}`);
}
