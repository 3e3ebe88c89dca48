// The operations of the HTTP API, as the OpenAPI document has them.
import { readFileSync } from "node:fs";

const FILE = new URL("../../web/app/public/api/openapi.json", import.meta.url);

interface Response {
  $ref?: string;
}

interface Described {
  operationId: string;
  tags: string[];
  security: object[];
  parameters: { name: string }[];
  requestBody?: object;
  responses: Record<string, Response>;
}

export interface Operation {
  id: string;
  tag: string;
  method: string;
  path: string;
  takesBody: boolean;
  /** Those of the address, the query and the headers. */
  parameters: string[];
  /** By what one shows who one is, where that is needed. */
  security: string[];
  /** The answers that the document lists. */
  statuses: number[];
}

export const DOCUMENT: { paths: Record<string, Record<string, Described>> } = JSON.parse(
  readFileSync(FILE, "utf8"),
);

export const OPERATIONS: Operation[] = Object.entries(DOCUMENT.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, described]) => ({
    id: described.operationId,
    tag: described.tags[0] ?? "",
    method: method.toUpperCase(),
    path,
    takesBody: described.requestBody !== undefined,
    parameters: described.parameters.map(({ name }) => name),
    security: described.security.flatMap(Object.keys),
    statuses: Object.keys(described.responses).map(Number),
  })),
);
