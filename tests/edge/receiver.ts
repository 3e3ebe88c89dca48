// Who receives webhooks: a little web server that checks each signature as Standard Webhooks has it, and answers as it is told.
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { WebhookMessage } from "../../web/sdk/src/generated/protocol.ts";

export interface Received extends WebhookMessage {
  id: string;
  /** How often it had come before. */
  before: number;
  path: string;
}

/** Answers with a status, with headers; or not at all. */
export type Manner = { status: number; headers?: Record<string, string> } | "hang";

export class Receiver {
  readonly received: Received[] = [];
  readonly forged: string[] = [];
  /** By these it is checked; more than one while one is replaced. */
  secrets: string[] = [];
  manner: Manner = { status: 204 };
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<Receiver> {
    const server = createServer();
    const receiver = new Receiver(server);
    server.on("request", (request, response) => void receiver.#receive(request, response));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  kinds(): string[] {
    return this.received.map(({ type }) => type);
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #receive(request: IncomingMessage, response: ServerResponse) {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    const header = (name: string) => `${request.headers[name]}`;
    const id = header("webhook-id");
    const signed = `${id}.${header("webhook-timestamp")}.${body}`;
    const age = Math.abs(Date.now() / 1000 - Number(header("webhook-timestamp")));
    const given = header("webhook-signature").split(" ");
    const fits = this.secrets.every((secret) => {
      const key = Buffer.from(secret.replace("whsec_", ""), "base64");
      const expected = Buffer.from(`v1,${createHmac("sha256", key).update(signed).digest("base64")}`);
      return given.some(
        (one) => one.length === expected.length && timingSafeEqual(Buffer.from(one), expected),
      );
    });
    if (!fits || age > 300) this.forged.push(body);
    const before = this.received.filter((other) => other.id === id).length;
    this.received.push({ ...JSON.parse(body), id, before, path: `${request.url}` });
    const { manner } = this;
    if (manner !== "hang") response.writeHead(manner.status, manner.headers).end("not read");
  }
}
