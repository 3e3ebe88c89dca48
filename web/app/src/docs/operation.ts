// One operation of the API.
import type { Answer, OpenApi, Operation, Schema } from "./document.ts";
import { nameOf } from "./document.ts";
import { element, prose } from "./element.ts";
import { kindOf, table } from "./schema.ts";

/** What answers have of a component. */
function resolved(answer: Answer, { components }: OpenApi): Answer {
  const component = answer.$ref === undefined ? undefined : components.responses[nameOf(answer.$ref)];
  return component ?? answer;
}

function whoMay({ security }: Operation): string {
  const ways: Record<string, string> = {
    token: "With an access token (`Authorization: Bearer`).",
    cookie: "By the refresh cookie, if there is one.",
    node: "With a token of a media node.",
  };
  const way = security.flatMap(Object.keys)[0];
  return way === undefined ? "Everybody may." : (ways[way] ?? `By ${way}.`);
}

function body(operation: Operation): Node | undefined {
  const { requestBody } = operation;
  if (requestBody === undefined) return;
  const kinds = Object.entries(requestBody.content).map(([kind, { schema }]) => [
    element("code", {}, kind),
    " ",
    ...kindOf(schema),
  ]);
  return element(
    "p",
    {},
    element("strong", {}, "Body: "),
    ...kinds,
    requestBody.required ? "." : ", or none.",
  );
}

/** The kinds of problems that an answer may be. */
const kindsOf = (schema: Schema | undefined) => schema?.properties?.type?.enum ?? [];

function answer(status: string, of: Answer): Node {
  const [content] = Object.values(of.content ?? {});
  const kinds = kindsOf(content?.schema);
  const lines = of.description.split("\n").map((line) => line.replace(/^- /, ""));
  const about =
    kinds.length > 0
      ? [
          element(
            "ul",
            {},
            lines.map((line) => element("li", {}, ...prose(line))),
          ),
        ]
      : [...prose(of.description), " ", ...(content === undefined ? [] : kindOf(content.schema))];
  const headers = Object.keys(of.headers ?? {}).filter((name) => name !== "X-Request-Id");
  const told = headers.length > 0 ? element("span", { class: "note" }, headers.join(", ")) : undefined;
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, element("code", {}, status), told),
    element("td", {}, ...about),
  );
}

/** A section with all that is said of it. */
export function section(path: string, method: string, operation: Operation, all: OpenApi): HTMLElement {
  const { operationId, summary, description, parameters, responses } = operation;
  const rows = parameters.map((parameter) => ({
    name: parameter.name,
    note: `${parameter.in === "path" ? "in the address" : "behind the ?"}${parameter.required ? "" : ", may be absent"}`,
    about: parameter.description,
    schema: parameter.schema,
  }));
  const answers = Object.entries(responses).map(([status, of]) => answer(status, resolved(of, all)));
  const caption = `Answers of ${operationId}`;
  return element(
    "section",
    { id: operationId, class: "operation" },
    element("h3", {}, summary),
    element(
      "p",
      { class: "address" },
      element("span", { class: "method" }, method.toUpperCase()),
      " ",
      element("code", {}, path),
    ),
    description === undefined ? undefined : element("p", {}, ...prose(description)),
    element("p", { class: "muted" }, ...prose(whoMay(operation))),
    rows.length > 0 ? table(`Parameters of ${operationId}`, rows) : undefined,
    body(operation),
    element(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
      element("table", {}, element("caption", {}, caption), element("tbody", {}, answers)),
    ),
  );
}
