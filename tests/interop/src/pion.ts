// pion: WebRTC in Go, in a process of its own that is told what to do line by line.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { type Kind, midsOf, type Packet, type Peer, type Stack } from "./stack.ts";

type Line =
  | { sdp: string }
  | { connected: true }
  | { kind: Kind; sequence: number; timestamp: number; marker: boolean; payload: string };

/** pion by its program, which `pion/main.go` is. */
export function pion(program: string): Stack {
  return {
    name: "pion",
    // Of a stream's last packets nothing tells that they were lost, and a repair packet is read when the next of the stream comes
    // alone. Where it gives transport-wide feedback, too, the node at times sends no picture for a while.
    mayLack: 0.05,

    async offer({ apart = false, withoutTransportCc = false, withoutRepair = false }): Promise<Peer> {
      const flags = [`-apart=${apart}`, `-transport-cc=${!withoutTransportCc}`, `-repair=${!withoutRepair}`];
      const child = spawn(program, flags, {
        stdio: ["pipe", "pipe", "inherit"],
      });
      const received: Record<Kind, Packet[]> = { audio: [], video: [] };
      const { promise: offered, resolve: offer } = Promise.withResolvers<string>();
      const { promise: connected, resolve: connect } = Promise.withResolvers<void>();
      createInterface({ input: child.stdout }).on("line", (text) => {
        const line = JSON.parse(text) as Line;
        if ("sdp" in line) offer(line.sdp);
        else if ("connected" in line) connect();
        else received[line.kind].push({ ...line, payload: Buffer.from(line.payload, "base64") });
      });
      const tell = (line: object) => child.stdin.write(`${JSON.stringify(line)}\n`);
      const sdp = await offered;
      return {
        sdp,
        mids: midsOf(sdp),
        async accept(answer) {
          tell({ sdp: answer });
          await connected;
        },
        send: (kind, { payload, ...header }) =>
          tell({ kind, ...header, payload: payload.toString("base64") }),
        received: (kind) => received[kind],
        async close() {
          const ended = once(child, "exit");
          child.stdin.end();
          await ended;
        },
      };
    },
  };
}
