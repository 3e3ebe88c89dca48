// Whatever happens in whatever order: in the end the person sees what is captured, sent and told, and the last wish holds.
import fc from "fast-check";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { LocalMedia } from "../src/call/local-media.ts";
import { LocalScreen } from "../src/call/local-screen.ts";
import { Publisher } from "../src/call/publishing.ts";
import type { Caps, Participant, Publishing, ServerMessage } from "../src/generated/protocol.ts";
import { Connection, stubConnection } from "./fake-connection.ts";
import { FakeDevices, type Kind } from "./fake-devices.ts";
import { quietSession } from "./quiet-session.ts";

const NAMES = ["microphone", "camera"] as const;
type Name = (typeof NAMES)[number];
const KINDS: Record<Name, Kind> = { microphone: "audio", camera: "video" };
const IDS: Record<Name, string[]> = { microphone: ["mic 1", "mic 2"], camera: ["cam 1", "cam 2"] };

/** What the room knows of this client. */
type Own = Pick<Participant, "publishing" | "caps">;
type Down = Own | Extract<ServerMessage, { type: "error" }>;

const NEW: Own = {
  publishing: { microphone: false, camera: false, screen: false, codec: null },
  caps: { audio: true, video: true, screen: true, captions: true, maxLayer: null, maxBitrate: null },
};
const REFUSAL = {
  type: "error",
  code: "rateLimited",
  message: "too many",
  nonce: null,
  of: "publishing",
  retryAfterMs: 300,
} as const;

/** A page in a call: its devices, its senders, and the room at the other end of a slow socket. */
class World {
  readonly devices = new FakeDevices();
  readonly local = new LocalMedia(this.devices.media);
  readonly media = quietSession().media;
  readonly screen = new LocalScreen(this.devices.media);
  readonly publisher = new Publisher(this.local, this.screen, {
    send: (source, track) => void this.media.send(source, track),
    tell: (publishing) => this.isOnline && this.up.push(publishing) > 0,
  });
  isIn = true;
  isOnline = true;
  room: Own = NEW;
  up: Publishing[] = [];
  down: Down[] = [];
  refusals = 0;
  /** What the person wished for last, as far as it was allowed then. */
  readonly wishes: Record<Name, boolean> = { microphone: false, camera: false };
  /** Devices that the end of the call has released, and nobody has asked for since. */
  readonly released: Record<Name, boolean> = { microphone: false, camera: false };
  /** The person wants the screen shared. */
  shares = false;
  /** Devices that have failed in some way: those may be off against the wish, and say so. */
  readonly troubled = new Set<Name>();

  constructor() {
    this.devices.pending = [];
    this.media.prepare();
    this.publisher.enter();
  }

  turn(name: Name, on: boolean): void {
    if (!on || this.#known(name)) this.wishes[name] = on;
    if (on && this.#known(name)) this.released[name] = false;
    void this.local.turn(name, on);
  }
  share(): void {
    if (!this.isIn) return;
    this.shares = this.#caps.screen && this.#caps.video;
    void this.screen.share();
  }
  stopSharing(): void {
    this.shares = false;
    this.screen.stop();
  }
  /** The person chooses in the dialog what to share, or closes it. */
  answerDialog(refuse: string | null): void {
    if (this.devices.dialog === null) return;
    if (refuse !== null) this.shares = false;
    this.devices.dialog(refuse);
  }
  /** The browser answers the oldest question, or refuses. */
  answer(refuse: string | null): void {
    const request = this.devices.pending?.shift();
    if (request === undefined) return;
    if (refuse !== null)
      for (const name of NAMES) if (request.constraints[KINDS[name]] !== undefined) this.troubled.add(name);
    request.answer(refuse);
  }
  unplug(name: Name, index: number): void {
    this.troubled.add(name);
    this.devices.unplug(IDS[name][index] as string);
  }
  plug(name: Name, index: number): void {
    this.devices.plug(KINDS[name], IDS[name][index] as string);
  }
  systemMutes(name: Name, muted: boolean): void {
    for (const track of this.devices.opened) if (track.kind === KINDS[name]) track.mute(muted);
  }
  setCaps(caps: Partial<Caps>): void {
    this.room = { ...this.room, caps: { ...this.room.caps, ...caps } };
    if (this.isIn && this.isOnline) this.down.push(this.room);
  }
  /** The room takes a message, or finds it one too many. */
  roomHears(): void {
    const publishing = this.up.shift();
    if (publishing === undefined) return;
    if (this.refusals > 0) {
      this.refusals -= 1;
      this.down.push(REFUSAL);
    } else if (JSON.stringify(publishing) !== JSON.stringify(this.room.publishing)) {
      this.room = { ...this.room, publishing };
      this.down.push(this.room);
    }
  }
  clientHears(): void {
    const message = this.down.shift();
    if (message === undefined) return;
    if ("type" in message) this.publisher.refused(message);
    else this.#obey(message);
  }
  /** What was under way is lost, perhaps only after the room has heard it. */
  loseSocket(heard: boolean): void {
    if (!this.isIn || !this.isOnline) return;
    if (heard) while (this.up.length > 0) this.roomHears();
    this.#hangUp();
    this.publisher.lost();
  }
  comeBack(): void {
    if (!this.isIn || this.isOnline) return;
    this.isOnline = true;
    this.#obey(this.room);
  }
  leave(): void {
    if (!this.isIn) return;
    this.isIn = false;
    this.shares = false;
    this.#hangUp();
    this.room = NEW;
    this.publisher.leave();
    for (const name of NAMES) this.released[name] = true;
    const all = [...this.devices.opened, ...this.devices.shared];
    expect(all.every(({ readyState }) => readyState === "ended")).toBe(true);
  }
  rejoin(): void {
    if (this.isIn) return;
    this.isIn = this.isOnline = true;
    for (const name of NAMES) this.released[name] = false;
    void this.local.resume();
    this.publisher.enter();
  }
  newConnection(): void {
    void this.media.restart();
  }

  /** Lets all come to rest: every question is answered, every message delivered, every time to wait over. */
  async rest(): Promise<void> {
    this.comeBack();
    for (let round = 0; round < 20; round += 1) {
      this.answerDialog(null);
      while ((this.devices.pending?.length ?? 0) > 0) this.devices.pending?.shift()?.answer(null);
      while (this.up.length > 0) this.roomHears();
      while (this.down.length > 0) this.clientHears();
      await this.settleSenders();
      await vi.advanceTimersByTimeAsync(60_000);
    }
  }
  async settleSenders(): Promise<void> {
    for (const sender of Connection.senders) await sender.settle();
  }
  end(): void {
    this.publisher.end();
    this.local.end();
    this.media.end();
  }

  #known(name: Name): boolean {
    return name === "microphone" ? this.#caps.audio : this.#caps.video;
  }
  #caps: Caps = NEW.caps;
  #obey(own: Own): void {
    this.#caps = own.caps;
    for (const name of NAMES) if (!this.#known(name)) this.wishes[name] = false;
    this.shares &&= own.caps.screen && own.caps.video;
    this.publisher.obey(own as Participant);
  }
  #hangUp(): void {
    this.isOnline = false;
    this.up = [];
    this.down = [];
    if (!this.isIn) this.#caps = NEW.caps;
  }
}

const name = fc.constantFrom(...NAMES);
const index = fc.nat({ max: 1 });
const refusal = fc.constantFrom(
  null,
  null,
  null,
  "NotAllowedError",
  "NotReadableError",
  "NotFoundError",
  "TypeError",
);

/** One thing that happens, with words to read it by when it fails. */
class Step {
  constructor(
    readonly words: string,
    readonly run: (world: World) => void | Promise<void>,
  ) {}
  toString = () => this.words;
}
const step = <T extends unknown[]>(
  words: string,
  args: { [I in keyof T]: fc.Arbitrary<T[I]> },
  run: (world: World, ...args: T) => void | Promise<void>,
): fc.Arbitrary<Step> =>
  fc
    .tuple(...(args as unknown as fc.Arbitrary<unknown>[]))
    .map((values) => new Step(`${words} ${values.join(" ")}`, (world) => run(world, ...(values as T))));

const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: step("turn", [name, fc.boolean()], (world, ...args) => world.turn(...args)) },
    { weight: 6, arbitrary: step("answer", [refusal], (world, refuse) => world.answer(refuse)) },
    {
      weight: 2,
      arbitrary: step("choose", [name, index], (world, which, at) => {
        void world.local.choose(which, IDS[which][at] ?? null);
      }),
    },
    step("unplug", [name, index], (world, ...args) => world.unplug(...args)),
    step("plug", [name, index], (world, ...args) => world.plug(...args)),
    {
      weight: 2,
      arbitrary: step("the system mutes", [name, fc.boolean()], (world, ...args) =>
        world.systemMutes(...args),
      ),
    },
    step("caps audio", [fc.boolean()], (world, audio) => world.setCaps({ audio })),
    step("caps video", [fc.boolean()], (world, video) => world.setCaps({ video })),
    step("caps screen", [fc.boolean()], (world, screen) => world.setCaps({ screen })),
    step("share", [], (world) => world.share()),
    step("stop sharing", [], (world) => world.stopSharing()),
    step("answer the dialog", [fc.constantFrom(null, "NotAllowedError")], (world, refuse) =>
      world.answerDialog(refuse),
    ),
    { weight: 3, arbitrary: step("the room hears", [], (world) => world.roomHears()) },
    { weight: 3, arbitrary: step("the client hears", [], (world) => world.clientHears()) },
    step("the room will refuse", [], (world) => {
      world.refusals += 1;
    }),
    step("lose the socket", [fc.boolean()], (world, heard) => world.loseSocket(heard)),
    { weight: 2, arbitrary: step("come back", [], (world) => world.comeBack()) },
    step("leave", [], (world) => world.leave()),
    step("rejoin", [], (world) => world.rejoin()),
    step("connect anew", [], (world) => world.newConnection()),
    step("the senders settle", [], (world) => world.settleSenders()),
    step("time passes", [fc.constantFrom(0, 299, 5_000)], async (_, ms) => {
      await vi.advanceTimersByTimeAsync(ms);
    }),
  ),
  { maxLength: 40 },
);

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("MediaStream", class {});
  stubConnection();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it("agree at rest: seen, captured, sent, told, and wished for", async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const world = new World();
      for (const one of all) {
        await one.run(world);
        await vi.advanceTimersByTimeAsync(0);
      }
      await world.rest();
      for (const which of NAMES) expectAgreement(world, which);
      expectScreenAgreement(world);
      world.end();
      expect(world.devices.opened.every(({ readyState }) => readyState === "ended")).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

function expectAgreement(world: World, which: Name): void {
  const device = world.local.state.get()[which];
  const capturing = world.devices.capturing(KINDS[which]);
  const sent = Connection.senders[which === "microphone" ? 0 : 1]?.track ?? null;
  const seen = device.on;
  expect(
    capturing.some(({ muted }) => !muted),
    "what is seen is what is captured",
  ).toBe(seen);
  expect(device.status, "nothing is under way any more").not.toBe("opening");
  expect(capturing.length, "no light without a reason").toBe(seen || device.status === "interrupted" ? 1 : 0);
  expect(sent, "what is sent is what is captured").toBe(seen ? (capturing[0] ?? "nothing") : null);
  if (world.isIn) expect(world.room.publishing[which], "others are told what is sent").toBe(seen);
  const wish = world.wishes[which] && !world.released[which];
  if (!wish) expect(device.status, "off is off").toBe("off");
  else if (!world.troubled.has(which)) expect(["on", "interrupted"]).toContain(device.status);
  else if (device.status === "off" || device.status === "lost") expect(device.problem).not.toBeNull();
}

function expectScreenAgreement(world: World): void {
  const { video, asking } = world.screen.state.get();
  const live = world.devices.shared.filter(({ readyState }) => readyState === "live");
  expect([asking, live.length], "the screen is shared as wished").toEqual([false, world.shares ? 1 : 0]);
  expect(video).toBe(live[0] ?? null);
  expect(Connection.senders[2]?.track ?? null).toBe(video);
  if (world.isIn) expect(world.room.publishing.screen).toBe(world.shares);
}
