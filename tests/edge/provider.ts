// A provider of mail: an HTTP server that takes mails as the providers do, and answers as it is told.
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export interface Mail {
  from: string;
  to: string[];
  subject: string;
  text: string;
}

export class Provider {
  readonly #server: Server;
  readonly mails: Mail[] = [];
  /** Of everything that was asked, also what was refused. */
  readonly asked: IncomingHttpHeaders[] = [];
  /** What is answered next; 200 when there is nothing left. */
  readonly answers: number[] = [];

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<Provider> {
    const server = createServer();
    const provider = new Provider(server);
    server.on("request", async (request, response) => {
      let body = "";
      for await (const chunk of request) body += chunk;
      provider.asked.push(request.headers);
      const status = provider.answers.shift() ?? 200;
      if (status === 200) provider.mails.push(JSON.parse(body));
      response.writeHead(status, { location: "/elsewhere" }).end("{}");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return provider;
  }

  /** What the Worker is to know of it. */
  get variables() {
    return {
      CONNECT_MAIL_URL: `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/emails`,
      CONNECT_MAIL_KEY: "key of the provider",
      CONNECT_MAIL_FROM: "Connect <hello@connect.example>",
      CONNECT_PUBLIC_URL: "https://connect.example",
    };
  }

  /** The latest mail to an address under this subject, once it is there. */
  async mail(to: string, subject: RegExp): Promise<Mail> {
    for (;;) {
      const found = this.mails.findLast((mail) => mail.to.includes(to) && subject.test(mail.subject));
      if (found) return found;
      await new Promise((resolve) => this.#server.once("request", () => setImmediate(resolve)));
      // Its body is read by the next turn of the loop at the earliest.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** The token in its link. */
  async token(to: string, subject: RegExp): Promise<string> {
    const { text } = await this.mail(to, subject);
    return /#(\S+)$/m.exec(text)?.[1] ?? "";
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }
}
