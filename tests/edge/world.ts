// The built Worker in workerd, with its state in a folder that outlives a restart; and people who use it.
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Miniflare, type WorkerOptions } from "miniflare";
import type {
  GuestSession,
  IceServer,
  IceServers,
  JoinResponse,
  Problem,
  Room,
  ServerMessage,
  Session,
  SettingsChange,
  User,
} from "../../web/sdk/src/generated/protocol.ts";
import { Disk } from "./disk.ts";
import { Socket } from "./socket.ts";

const BUILD = new URL("../../edge/build/", import.meta.url).pathname;

/** The modules of a Worker, the main one first. */
export interface Modules {
  root: string;
  scripts: { path: string; contents?: string }[];
  wasm: string;
}
const BUILT: Modules = { root: BUILD, scripts: [{ path: "index.js" }], wasm: "index_bg.wasm" };
const secret = () => randomBytes(32).toString("base64url");

export const NODE_KEY = secret();
/** Two of the fleet's keys, of which the nodes' own are made. */
export const FLEET_KEYS = [
  { kid: "f1", key: secret() },
  { kid: "f2", key: secret() },
];
const bindings = {
  CONNECT_SIGNING_KEYS: JSON.stringify([{ kid: "k1", seed: secret() }]),
  CONNECT_NODE_KEY: NODE_KEY,
  CONNECT_NODE_KEYS: JSON.stringify(FLEET_KEYS),
  CONNECT_ID_KEY: secret(),
  CONNECT_REGIONS: "eu-west@53.3:-6.3,us-east@39.0:-77.5",
  CONNECT_ORIGINS: "https://embedder.example",
  CONNECT_ICE_SERVERS: "[]",
  CONNECT_LIMIT_REQUESTS: "12000/60",
  CONNECT_LIMIT_ACCOUNT: "3/900",
  CONNECT_LIMIT_ADDRESS: "50/900",
  CONNECT_LIMIT_REGISTER: "100/900",
  CONNECT_LIMIT_MAIL: "3/3600",
  CONNECT_LIMIT_MAIL_ADDRESS: "100/3600",
  CONNECT_LIMIT_CREATE_USER: "50/900",
  CONNECT_LIMIT_CREATE_ADDRESS: "100/900",
  CONNECT_LIMIT_JOIN_ADDRESS: "100/900",
  CONNECT_LIMIT_SEARCH_ADDRESS: "100/900",
  CONNECT_LIMIT_API_USER: "1000/900",
  CONNECT_LIMIT_ROOM_PASSWORD_ADDRESS: "20/900",
  CONNECT_LIMIT_ROOM_PASSWORD: "200/900",
  CONNECT_ROOM_CAPACITY: "500",
  CONNECT_USER_CAPACITY: "5",
};
const objects = {
  USERS: "UserObject",
  ROOMS: "RoomObject",
  REGIONS: "RegionObject",
  DIRECTORY: "DirectoryObject",
  LIMITERS: "LimiterObject",
  METRICS: "MetricsObject",
  DEVELOPERS: "DeveloperObject",
};

/** The objects of a class, as far as they are used here. */
interface Namespace {
  idFromName(name: string): unknown;
  get(id: unknown): { fetch(url: string, init: RequestInit): Promise<Response> };
}

export interface Answer<T = Problem> {
  status: number;
  body: T;
  headers: Headers;
}

export interface Call {
  method?: string;
  token?: string;
  body?: unknown;
  raw?: string;
  headers?: Record<string, string>;
}

/** What the Worker is, where it is not the built one without files. */
interface Options {
  modules?: Modules;
  assets?: WorkerOptions["assets"];
  /** Services that workerd is given. */
  services?: WorkerOptions["serviceBindings"];
  /** The platform's own rate limiters; without them a plain workerd, which has none. */
  ratelimits?: WorkerOptions["ratelimits"];
  /** Takes each line of its log. */
  log?: (line: string) => void;
  /** Whether its requests reach public addresses alone, as those of a plain workerd do. Miniflare lets them go anywhere. */
  publicOnly?: boolean;
}

export class World {
  #miniflare: Miniflare | undefined;
  #folder = mkdtempSync(join(tmpdir(), "connect-edge-"));
  #variables: Record<string, string>;
  #options: Options;
  url = "";

  private constructor(variables: Record<string, string>, options: Options) {
    this.#variables = variables;
    this.#options = options;
  }

  static async start(variables: Record<string, string> = {}, options: Options = {}): Promise<World> {
    const world = new World(variables, options);
    await world.#start();
    return world;
  }

  async #start() {
    const { modules = BUILT, assets, services, ratelimits, publicOnly, log } = this.#options;
    const { root, scripts, wasm } = modules;
    const read = (path: string) => readFileSync(join(root, path));
    this.#miniflare = new Miniflare({
      modules: [
        ...scripts.map(({ path, contents }) => ({
          type: "ESModule" as const,
          path: join(root, path),
          contents: contents ?? read(path),
        })),
        { type: "CompiledWasm" as const, path: join(root, wasm), contents: read(wasm) },
      ],
      modulesRoot: root,
      compatibilityDate: "2026-07-01",
      cf: false,
      bindings: { ...bindings, ...this.#variables },
      durableObjects: Object.fromEntries(
        Object.entries(objects).map(([name, className]) => [name, { className, useSQLite: true }]),
      ),
      durableObjectsPersist: this.#folder,
      ...(assets && { assets }),
      ...(services && { serviceBindings: services }),
      ...(ratelimits && { ratelimits }),
      ...(log && { handleStructuredLogs: ({ message }: { message: string }) => void log(message) }),
      ...(publicOnly && { outboundService: { network: { allow: ["public"] } } }),
    });
    this.url = (await this.#miniflare.ready).origin;
  }

  /**
   * Ends workerd with everything in it, and starts it again on the same state, or on what becomes of it meanwhile; perhaps with other
   * variables.
   */
  async restart(
    meanwhile: (disk: Disk) => void = () => {},
    variables: Record<string, string> = {},
  ): Promise<void> {
    await this.#miniflare?.dispose();
    meanwhile(new Disk(this.#folder));
    this.#variables = { ...this.#variables, ...variables };
    await this.#start();
  }

  /** Calls an operation of an object, as the other objects do. */
  async operate(
    object: keyof typeof objects,
    name: string,
    operation: string,
    body: unknown,
  ): Promise<Headers> {
    if (this.#miniflare === undefined) throw new Error("the world has not started");
    const namespace = (await this.#miniflare.getDurableObjectNamespace(object)) as unknown as Namespace;
    const stub = namespace.get(namespace.idFromName(name));
    const init = { method: "POST", body: JSON.stringify(body) };
    const response = await stub.fetch(`https://object/${operation}`, init);
    if (!response.ok) throw new Error(await response.text());
    await response.arrayBuffer();
    return new Headers([...response.headers]);
  }

  async stop(): Promise<void> {
    await this.#miniflare?.dispose();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async call<T = Problem>(path: string, call: Call = {}): Promise<Answer<T>> {
    const body = call.raw ?? (call.body === undefined ? undefined : JSON.stringify(call.body));
    const headers: Record<string, string> = { "content-type": "application/json", ...call.headers };
    if (call.token) headers.authorization = `Bearer ${call.token}`;
    const method = call.method ?? (body === undefined ? "GET" : "POST");
    const response = await fetch(this.url + path, { method, headers, body });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : undefined };
  }

  /** Somebody without an account, at the door of a room. */
  async guest(room: Room, name: string): Promise<Guest> {
    const { body } = await this.call<GuestSession>(`/api/rooms/${room.id}/guests`, { body: { name } });
    return new Guest(this, body);
  }

  /** Somebody with a new account. */
  async person(name: string): Promise<Person> {
    const email = `${name.toLowerCase()}-${randomBytes(4).toString("hex")}@example.com`;
    const { body, headers } = await this.call<Session>("/api/auth/register", {
      body: { email, password: "password123", name },
    });
    return new Person(this, body, cookiesOf(headers));
  }
}

/** The cookies that an answer sets, as a request sends them. */
export interface Cookies {
  refresh: string;
  device: string;
}

export function cookiesOf(headers: Headers): Cookies {
  const set = headers.getSetCookie().map((cookie) => cookie.split(";")[0] ?? "");
  const named = (name: string) => set.find((cookie) => cookie.startsWith(`__Host-connect_${name}=`)) ?? "";
  return { refresh: named("refresh"), device: named("device") };
}

/** Whoever has a token. */
abstract class Somebody {
  abstract readonly world: World;
  abstract readonly token: string;

  call<T = Problem>(path: string, call: Call = {}): Promise<Answer<T>> {
    return this.world.call<T>(path, { ...call, token: this.token });
  }

  async join(room: Room, hints: object = {}): Promise<JoinResponse> {
    return (await this.call<JoinResponse>(`/api/rooms/${room.id}/join`, { body: hints })).body;
  }

  async iceServers(): Promise<IceServer[]> {
    return (await this.ice()).iceServers;
  }

  async ice(room?: Room): Promise<IceServers> {
    return (await this.call<IceServers>(`/api/ice-servers${room ? `?room=${room.id}` : ""}`)).body;
  }

  /** Joins a room and opens the WebSocket. */
  async enter(room: Room, hints: object = {}): Promise<Client> {
    const { url } = await this.join(room, hints);
    return Client.open(this.world, url);
  }
}

/** Somebody who has a token for one room alone. */
export class Guest extends Somebody {
  readonly token: string;

  constructor(
    readonly world: World,
    readonly session: GuestSession,
  ) {
    super();
    this.token = session.token;
  }
}

/** Somebody who is signed in. */
export class Person extends Somebody {
  readonly email: string;
  readonly token: string;
  readonly user: User;

  constructor(
    readonly world: World,
    session: Session,
    readonly cookies: Cookies,
  ) {
    super();
    this.email = session.user.email;
    this.token = session.token;
    this.user = session.user;
  }

  async createRoom(name = "Standup", settings: SettingsChange = {}, regions: string[] = []): Promise<Room> {
    return (await this.call<Room>("/api/rooms", { body: { name, settings, regions } })).body;
  }
}

type Welcome = Extract<ServerMessage, { type: "welcome" }>;

/** A client's signaling WebSocket, welcomed. */
export class Client {
  private constructor(
    readonly socket: Socket<ServerMessage>,
    readonly welcome: Welcome,
  ) {}

  static async open(world: World, path: string): Promise<Client> {
    const socket = await Socket.open<ServerMessage>(world.url + path);
    return new Client(socket, await socket.next("welcome"));
  }

  /** The address to go on as the same participant. */
  resume(room: Room, since: number): string {
    return `/api/rooms/${room.id}/ws?resume=${this.welcome.resumeToken}&since=${since}`;
  }
}
