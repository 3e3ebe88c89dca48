// Signaling against a real WebSocket server: resumption, replay, holes, and the ways it ends.
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type WebSocket as Peer, WebSocketServer } from "ws";
import { Signaling, type SignalingHandlers } from "../src/call/signaling.ts";
import { ApiError } from "../src/problem.ts";

const PATH = "/api/rooms/r/ws";

/** What happened at the client, as lines to compare with. */
class Log implements SignalingHandlers {
  readonly lines: string[] = [];
  #waiting: { line: string; resolve: () => void }[] = [];

  onOpen = () => this.#add("open");
  onWaiting = () => this.#add("waiting");
  onWelcome = ({ seq, snapshot }: { seq: number; snapshot: unknown }) =>
    this.#add(`welcome ${seq}${snapshot === null ? " resumed" : ""}`);
  onEvent = ({ seq }: { seq: number }) => this.#add(`event ${seq}`);
  onMessage = ({ type }: { type: string }) => this.#add(type);
  onLost = (pause: number) => this.#add(pause === 0 ? "lost" : "lost, to pause");
  onClosed = (reason: string) => this.#add(`closed ${reason}`);
  onFailed = (error: unknown) => this.#add(`failed ${(error as Error).message}`);

  /** Resolves once the line has been logged. */
  until(line: string): Promise<void> {
    if (this.lines.includes(line)) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ line, resolve }));
  }

  #add(line: string): void {
    this.lines.push(line);
    this.#waiting = this.#waiting.filter((waiting) => {
      if (waiting.line === line) waiting.resolve();
      return waiting.line !== line;
    });
  }
}

type Script = (peer: Peer, connection: number, url: string) => void;

describe("signaling", () => {
  let server: WebSocketServer;
  let log: Log;
  let urls: string[];
  let heard: string[];
  let script: Script;
  let tickets: number;
  /** What the next looks for the server find; it is there after that. */
  let reachable: boolean[];
  let signaling: Signaling;

  beforeEach(async () => {
    [log, urls, heard, tickets, reachable] = [new Log(), [], [], 0, []];
    server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    await new Promise((resolve) => server.once("listening", resolve));
    server.on("connection", (peer, request) => {
      urls.push(request.url ?? "");
      peer.on("message", (data) => heard.push(String(data)));
      script(peer, urls.length, request.url ?? "");
    });
    const { port } = server.address() as AddressInfo;
    signaling = new Signaling({
      origin: `ws://127.0.0.1:${port}`,
      path: PATH,
      ticket: async () => {
        tickets += 1;
        return `${PATH}?ticket=t${tickets}`;
      },
      handlers: log,
      retryAfter: () => 0,
      isReachable: async () => reachable.shift() ?? true,
      // No wait before a retry.
      random: () => 0,
    });
  });

  afterEach(async () => {
    signaling.end();
    for (const peer of server.clients) peer.terminate();
    await new Promise((resolve) => server.close(resolve));
  });

  const say = (peer: Peer, message: object) => peer.send(JSON.stringify(message));
  const welcome = (peer: Peer, seq: number, resumeToken: string, snapshot: object | null = {}) =>
    say(peer, { type: "welcome", seq, you: "p", resumeToken, snapshot });
  const event = (peer: Peer, seq: number) =>
    say(peer, { type: "event", seq, event: { type: "left", participant: "x", reason: "left" } });

  it("waits at the door, comes back to it after a loss, and goes in over the same socket", async () => {
    script = (peer, connection) => {
      say(peer, { type: "waiting", you: "p", resumeToken: `w${connection}`, redialWithinMs: 0 });
      if (connection === 1) return peer.close();
      welcome(peer, 5, "r1");
      event(peer, 6);
    };
    signaling.start();
    await log.until("event 6");
    expect(urls).toEqual([`${PATH}?ticket=t1`, `${PATH}?resume=w1&since=0`]);
    expect(log.lines).toEqual(["open", "waiting", "lost", "open", "waiting", "welcome 5", "event 6"]);
    expect(server.clients.size).toBe(1);
  });

  it("resumes after the last event seen, and gets each event once", async () => {
    script = (peer, connection) => {
      if (connection === 1) {
        welcome(peer, 5, "r1");
        event(peer, 6);
        event(peer, 7);
        peer.close();
        return;
      }
      welcome(peer, 9, "r2", null);
      for (const seq of [7, 8, 9]) event(peer, seq);
    };
    signaling.start();
    await log.until("event 9");
    expect(urls).toEqual([`${PATH}?ticket=t1`, `${PATH}?resume=r1&since=7`]);
    expect(log.lines).toEqual([
      "open",
      "welcome 5",
      "event 6",
      "event 7",
      "lost",
      "open",
      "welcome 9 resumed",
      "event 8",
      "event 9",
    ]);
  });

  it("asks for a replay when an event is missing", async () => {
    script = (peer, connection) => {
      if (connection === 1) {
        welcome(peer, 1, "r1");
        event(peer, 3);
        return;
      }
      welcome(peer, 3, "r2", null);
      event(peer, 2);
      event(peer, 3);
    };
    signaling.start();
    await log.until("event 3");
    expect(urls[1]).toBe(`${PATH}?resume=r1&since=1`);
    expect(log.lines.filter((line) => line.startsWith("event"))).toEqual(["event 2", "event 3"]);
  });

  it("takes a new ticket when it cannot resume", async () => {
    script = (peer, connection, url) => {
      if (connection === 1) welcome(peer, 1, "r1");
      if (connection === 1 || url.includes("resume")) return peer.close();
      welcome(peer, 40, "r9");
    };
    signaling.start();
    await log.until("welcome 40");
    expect(urls.slice(1)).toEqual([
      `${PATH}?resume=r1&since=1`,
      `${PATH}?resume=r1&since=1`,
      `${PATH}?resume=r1&since=1`,
      `${PATH}?ticket=t2`,
    ]);
  });

  it("goes in again by the same ticket when its welcome was lost, so as to be nobody else", async () => {
    script = (peer, connection) => {
      if (connection < 3) return peer.close();
      welcome(peer, 2, "r1");
    };
    signaling.start();
    await log.until("welcome 2");
    expect(urls).toEqual(Array(3).fill(`${PATH}?ticket=t1`));
  });

  it("goes on as the same participant when the welcome to a resumption was lost", async () => {
    script = (peer, connection) => {
      if (connection === 1) welcome(peer, 1, "r1");
      if (connection < 3) return peer.close();
      welcome(peer, 1, "r3", null);
    };
    signaling.start();
    await log.until("welcome 1 resumed");
    expect(urls.slice(1)).toEqual(Array(2).fill(`${PATH}?resume=r1&since=1`));
  });

  it("asks for another ticket when one is not taken", async () => {
    script = (peer, _, url) => {
      if (url.endsWith("t1")) return peer.close();
      welcome(peer, 2, "r1");
    };
    signaling.start();
    await log.until("welcome 2");
    expect(urls).toEqual([...Array(3).fill(`${PATH}?ticket=t1`), `${PATH}?ticket=t2`]);
  });

  it("goes on resuming through an outage of any length", async () => {
    reachable = Array.from({ length: 20 }, () => false);
    script = (peer, connection) => {
      if (connection === 1) welcome(peer, 1, "r1");
      if (connection <= 2) return peer.close();
      welcome(peer, 1, "r2", null);
    };
    signaling.start();
    await log.until("welcome 1 resumed");
    expect(reachable).toEqual([]);
    expect(tickets).toBe(1);
    expect(urls.slice(1)).toEqual([`${PATH}?resume=r1&since=1`, `${PATH}?resume=r1&since=1`]);
  });

  it("delivers the other messages and ignores what it does not understand", async () => {
    script = (peer) => {
      welcome(peer, 1, "r1");
      peer.send("pong");
      peer.send("{not json");
      peer.send("7");
      say(peer, { type: "renegotiate", attempt: 1, reason: "drain" });
      say(peer, { type: "answer", attempt: 2, sdp: "", node: "n", region: "eu-west" });
    };
    signaling.start();
    await log.until("answer");
    expect(log.lines).toEqual(["open", "welcome 1", "renegotiate", "answer"]);
  });

  it("does not come back once the room has closed it", async () => {
    script = (peer) => {
      welcome(peer, 1, "r1");
      say(peer, { type: "closed", reason: "roomDeleted" });
    };
    signaling.start();
    await log.until("closed roomDeleted");
    await new Promise((resolve) => setImmediate(resolve));
    expect(urls).toHaveLength(1);
    expect(log.lines).not.toContain("lost");
  });

  it("says that it leaves", async () => {
    script = (peer) => welcome(peer, 1, "r1");
    signaling.start();
    await log.until("welcome 1");
    const left = new Promise((resolve) => [...server.clients][0]?.once("close", resolve));
    signaling.end();
    await left;
    expect(heard).toEqual(["ping", '{"type":"leave"}']);
    expect(signaling.send({ type: "leave" })).toBe(false);
  });

  it("fails when a ticket is refused for good", async () => {
    const refused = new ApiError({
      type: "x",
      title: "No such room",
      status: 404,
      detail: "There is no such room.",
    });
    signaling = new Signaling({
      origin: "ws://127.0.0.1:1",
      path: PATH,
      ticket: () => Promise.reject(refused),
      handlers: log,
      retryAfter: () => null,
      isReachable: async () => true,
    });
    signaling.start();
    await log.until("failed There is no such room.");
    expect(log.lines).toEqual(["failed There is no such room."]);
  });

  it.each([1008, 4429])(
    "stays away for a while when it is closed with %i, though the wait was not told",
    async (code) => {
      script = (peer) => {
        welcome(peer, 1, "r1");
        peer.close(code);
      };
      signaling.start();
      await log.until("lost, to pause");
      signaling.retryNow();
      expect(urls).toHaveLength(1);
    },
  );
});
