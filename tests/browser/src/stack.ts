// The running Connect under test: where it is, and what runs.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

/** A media node, as `cargo xtask` describes it; `pid` is 0 while it is down. */
export interface NodeInfo {
  readonly id: string;
  readonly region: string;
  readonly pid: number;
  readonly media: string;
  readonly quic: string;
  readonly metrics: string;
}

/** Where the web app is. */
export const URL_OF_APP = process.env.CONNECT_URL ?? "http://localhost:8787";

const FILE = process.env.CONNECT_STACK ?? new URL("../../../.connect/stack.json", import.meta.url).pathname;

/** The nodes that run now. */
export async function nodes(): Promise<readonly NodeInfo[]> {
  return (JSON.parse(await readFile(FILE, "utf8")) as { nodes: NodeInfo[] }).nodes;
}

/** The node with this name. */
export async function node(id: string): Promise<NodeInfo> {
  const found = (await nodes()).find((one) => one.id === id);
  assert.ok(found, `${FILE} has no node ${id}`);
  return found;
}

/** The sum of a node's samples of a counter or gauge, of those with this label if one is given (`name="value"`). */
export async function metric(info: NodeInfo, name: string, label = ""): Promise<number> {
  const page = await (await fetch(info.metrics)).text();
  const samples = page
    .split("\n")
    .filter((line) => new RegExp(`^${name}[ {]`).test(line) && line.includes(label));
  assert.ok(samples.length > 0, `${info.id} has no metric ${name}`);
  return samples.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
}

/** A call of the HTTP API that must succeed. */
export async function api<T>(path: string, body: object, token?: string): Promise<T> {
  const response = await fetch(URL_OF_APP + path, {
    method: "POST",
    headers: { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify(body),
  });
  assert.ok(response.ok, `POST ${path}: ${response.status} ${await response.clone().text()}`);
  return (await response.json()) as T;
}

/** An account that nobody had before. */
export function newAccount(name: string): { name: string; email: string; password: string } {
  return {
    name,
    // A name may be of any script.
    email: `${name.toLowerCase().replace(/[^a-z]/g, "")}-${crypto.randomUUID()}@example.com`,
    password: "a long way to Tipperary",
  };
}

/** A new room; returns its id. */
export async function newRoom(name: string): Promise<string> {
  const { token } = await api<{ token: string }>("/api/auth/register", newAccount("Host"));
  return (await api<{ id: string }>("/api/rooms", { name }, token)).id;
}
