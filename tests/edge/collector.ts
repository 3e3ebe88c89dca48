// A collector: takes spans as OTLP over HTTP in JSON, as the specification has it, and shows what it was told.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

interface Attribute {
  key: string;
  value: { stringValue?: string; intValue?: string };
}
interface Export {
  resourceSpans: {
    resource: { attributes: Attribute[] };
    scopeSpans: { spans: Written[] }[];
  }[];
}
interface Written {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: Attribute[];
  status?: { code: number };
}

/** A span as it was told. */
export interface Span {
  trace: string;
  id: string;
  parent: string | undefined;
  name: string;
  /** Unix time in milliseconds. */
  start: number;
  end: number;
  failed: boolean;
  /** Its own, and those of who has measured it. */
  attributes: Map<string, string>;
}

export class Collector {
  readonly spans: Span[] = [];
  /** The bodies as they came. */
  readonly bodies: string[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(port = 0): Promise<Collector> {
    const collector: Collector = new Collector(
      createServer(async (request, response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk);
        const body = Buffer.concat(chunks).toString();
        if (request.method !== "POST" || request.url !== "/v1/traces") return response.writeHead(404).end();
        collector.bodies.push(body);
        collector.#take(JSON.parse(body));
        response.writeHead(200, { "content-type": "application/json" }).end("{}");
      }),
    );
    await new Promise<void>((resolve) => collector.#server.listen(port, "127.0.0.1", resolve));
    return collector;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The spans of this trace, in the order of their beginnings. */
  trace(id: string): Span[] {
    return this.spans.filter(({ trace }) => trace === id).sort((a, b) => a.start - b.start);
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #take({ resourceSpans }: Export): void {
    for (const { resource, scopeSpans } of resourceSpans) {
      for (const span of scopeSpans.flatMap(({ spans }) => spans)) {
        this.spans.push({
          trace: span.traceId,
          id: span.spanId,
          parent: span.parentSpanId,
          name: span.name,
          start: Number(span.startTimeUnixNano) / 1e6,
          end: Number(span.endTimeUnixNano) / 1e6,
          failed: span.status?.code === 2,
          attributes: new Map(
            [...resource.attributes, ...span.attributes].map(({ key, value }) => [
              key,
              value.stringValue ?? value.intValue ?? "",
            ]),
          ),
        });
      }
    }
  }
}

/** What docs/tracing.md lists: spans and attributes. */
export function listed(document: string): { spans: Set<string>; attributes: Set<string> } {
  const section = (name: string) => document.split(`\n## ${name}\n`)[1]?.split("\n## ")[0] ?? "";
  const names = (name: string) =>
    new Set([...section(name).matchAll(/^\| `([a-z0-9_.-]+)`/gm)].map(([, found]) => found ?? ""));
  return { spans: names("Spans"), attributes: names("Attributes") };
}
