// The page of the API's documentation, made of the document that the API hands out.
import type { OpenApi, Operation } from "./document.ts";
import { element, prose } from "./element.ts";
import { section } from "./operation.ts";
import { typeOf } from "./schema.ts";

interface Found {
  path: string;
  method: string;
  operation: Operation;
}

/** All of it. */
export function page(api: OpenApi): HTMLElement {
  const found: Found[] = Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const groups = api.tags.map((tag) => ({
    ...tag,
    found: found.filter(({ operation }) => operation.tags.includes(tag.name)),
  }));
  const types = Object.entries(api.components.schemas);
  const link = (anchor: string, text: string) =>
    element("li", {}, element("a", { href: `#${anchor}` }, text));
  return element(
    "div",
    { class: "docs" },
    element("a", { class: "skip", href: "#content" }, "To the content"),
    element(
      "nav",
      { "aria-label": "Operations" },
      element("p", { class: "name" }, element("a", { href: "/" }, "Connect"), " API"),
      groups.map(({ name, found }) => [
        element("h2", {}, name),
        element(
          "ul",
          {},
          found.map(({ operation }) => link(operation.operationId, operation.summary)),
        ),
      ]),
      element("h2", {}, "types"),
      element("ul", {}, link("types", "What they are made of")),
    ),
    element(
      "main",
      { id: "content" },
      element("h1", {}, `${api.info.title} API ${api.info.version}`),
      element("p", {}, ...prose(api.info.description)),
      element(
        "p",
        {},
        element("a", { href: "/api/openapi.json" }, "/api/openapi.json"),
        " is this page for programs (OpenAPI 3.1).",
      ),
      groups.map(({ name, description, found }) => [
        element("h2", {}, name),
        element("p", { class: "muted" }, ...prose(description)),
        found.map(({ path, method, operation }) => section(path, method, operation, api)),
      ]),
      element("h2", { id: "types" }, "types"),
      types.map(([name, schema]) => typeOf(name, schema)),
    ),
  );
}
