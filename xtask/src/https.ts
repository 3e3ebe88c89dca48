// HTTPS for devices beside this machine: passes on to the Worker, which itself stays on loopback.
import { readFileSync } from "node:fs";
import { type IncomingMessage, request, STATUS_CODES } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const LOOPBACK = "127.0.0.1";

/** The request as the Worker is to see it: who asks is ours to say, whatever the client claims. */
function passedOn(incoming: IncomingMessage, path: string, port: number) {
  const headers = {
    ...incoming.headers,
    "cf-connecting-ip": incoming.socket.remoteAddress ?? "",
    "x-forwarded-proto": "https",
  };
  return request({ host: LOOPBACK, port, method: incoming.method, path, headers });
}

/** The path to pass on, or the status to refuse with. What is judged here is what the Worker then reads. */
function pathOf({ url = "" }: IncomingMessage): string | 400 | 404 {
  const [asked = ""] = url.split("?");
  // Other forms than a path, and separators that one reader sees and another does not.
  if (!asked.startsWith("/") || /\\|%2f|%5c/i.test(asked)) return 400;
  const { pathname, search } = new URL(`https://any${url}`);
  const [, first] = pathname.split("/");
  if (first === "" && pathname !== "/") return 400;
  // Links of nodes are dialed on this machine; nobody else needs them.
  return first === "node" ? 404 : pathname + search;
}

/** The answer to a WebSocket that is not to be. */
const refusal = (status: number) =>
  `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\nConnection: close\r\n\r\n`;

/** Listens at an address, for the Worker at a port of loopback; says where, once it does. */
export function serve(options: { address: string; port: number; to: number; key: string; cert: string }) {
  const server = createServer({ key: options.key, cert: options.cert }, (incoming, outgoing) => {
    const path = pathOf(incoming);
    if (typeof path === "number") return outgoing.writeHead(path).end();
    const onward = passedOn(incoming, path, options.to);
    onward.on("response", (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on("error", () => (outgoing.headersSent ? outgoing.destroy() : outgoing.writeHead(502).end()));
    outgoing.on("close", () => onward.destroy());
    incoming.pipe(onward);
  });
  server.on("upgrade", (incoming, socket, head) => {
    socket.on("error", () => socket.destroy());
    const path = pathOf(incoming);
    if (typeof path === "number") return socket.end(refusal(path));
    const onward = passedOn(incoming, path, options.to);
    onward.on("upgrade", (answer, other, first) => {
      const lines = [`HTTP/1.1 101 ${answer.statusMessage}`];
      for (let i = 0; i < answer.rawHeaders.length; i += 2) {
        lines.push(`${answer.rawHeaders[i]}: ${answer.rawHeaders[i + 1]}`);
      }
      socket.write(`${lines.join("\r\n")}\r\n\r\n`);
      socket.write(first);
      other.write(head);
      other.on("error", () => socket.destroy());
      other.on("close", () => socket.destroy());
      socket.on("close", () => other.destroy());
      socket.pipe(other).pipe(socket);
    });
    // The Worker refused: the answer is all that there is.
    onward.on("response", (answer) => {
      socket.end(refusal(answer.statusCode ?? 502));
      answer.resume();
    });
    onward.on("error", () => socket.destroy());
    onward.end();
  });
  return new Promise<{ port: number; close: () => void }>((resolve, reject) => {
    server.on("error", reject);
    server.listen(options.port, options.address, () => {
      const close = () => {
        server.closeAllConnections();
        server.close();
      };
      resolve({ port: (server.address() as AddressInfo).port, close });
    });
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const string = { type: "string" as const };
  const { values } = parseArgs({
    options: { address: string, port: string, to: string, key: string, cert: string },
  });
  await serve({
    address: values.address ?? LOOPBACK,
    port: Number(values.port),
    to: Number(values.to),
    key: readFileSync(values.key ?? "", "utf8"),
    cert: readFileSync(values.cert ?? "", "utf8"),
  });
  process.stdout.write("ready\n");
}
