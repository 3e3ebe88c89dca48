// Types, as people read them.
import { nameOf, type Schema } from "./document.ts";
import { element, prose } from "./element.ts";

/** Where a type of its own is on the page. */
export const anchorOf = (name: string) => `type-${name}`;

const joined = (parts: Node[][]): (Node | string)[] =>
  parts.flatMap((part, at) => (at === 0 ? part : [" or ", ...part]));

/** What a value is, in one line. */
export function kindOf(schema: Schema): (Node | string)[] {
  if (schema.$ref !== undefined) {
    const name = nameOf(schema.$ref);
    return [element("a", { href: `#${anchorOf(name)}` }, name)];
  }
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return joined(choices.map((choice) => [element("span", {}, ...kindOf(choice))]));
  if (schema.allOf?.[0] !== undefined) return kindOf(schema.allOf[0]);
  if (schema.const !== undefined) return [element("code", {}, JSON.stringify(schema.const))];
  if (schema.enum !== undefined)
    return joined(schema.enum.map((value) => [element("code", {}, JSON.stringify(value))]));
  if (schema.items !== undefined) return ["list of ", ...kindOf(schema.items)];
  const values = Object.values(schema.patternProperties ?? {})[0] ?? schema.additionalProperties;
  if (typeof values === "object") return ["object, each value ", ...kindOf(values)];
  const types = [schema.type ?? "anything"].flat().join(" or ");
  return [schema.format === undefined ? types : `${types} (${schema.format})`];
}

/** What a value is held to. */
function limitsOf(schema: Schema): string {
  const { minLength, maxLength, minimum, maximum } = schema;
  const said = [];
  if (minLength !== undefined && maxLength !== undefined)
    said.push(`${minLength} to ${maxLength} characters`);
  else if (maxLength !== undefined) said.push(`at most ${maxLength} characters`);
  if (minimum !== undefined && maximum !== undefined) said.push(`from ${minimum} to ${maximum}`);
  if (schema.default !== undefined) said.push(`${JSON.stringify(schema.default)} if left out`);
  return said.join("; ");
}

export interface Row {
  name: string;
  note: string;
  about?: string | undefined;
  schema: Schema;
}

/** Fields or parameters. */
export function table(caption: string, rows: Row[]): HTMLElement {
  const line = ({ name, note, about, schema }: Row) => {
    const limits = limitsOf(schema);
    return element(
      "tr",
      {},
      element("th", { scope: "row" }, element("code", {}, name), element("span", { class: "note" }, note)),
      element(
        "td",
        {},
        ...kindOf(schema),
        limits === "" ? undefined : element("span", { class: "note" }, limits),
      ),
      element("td", {}, ...prose(about ?? "")),
    );
  };
  const heads = ["Name", "What it is", "Meaning"].map((head) => element("th", { scope: "col" }, head));
  const scroll = { class: "scroll", tabindex: "0", role: "region", "aria-label": caption };
  return element(
    "div",
    scroll,
    element(
      "table",
      {},
      element("caption", {}, caption),
      element("thead", {}, element("tr", {}, heads)),
      element("tbody", {}, rows.map(line)),
    ),
  );
}

/** The fields of an object. */
export function fieldsOf(caption: string, schema: Schema): HTMLElement {
  const rows = Object.entries(schema.properties ?? {}).map(([name, field]) => ({
    name,
    note: schema.required?.includes(name) ? "" : "may be absent",
    about: field.description,
    schema: field,
  }));
  return table(caption, rows);
}

/** A type of its own. */
export function typeOf(name: string, schema: Schema): HTMLElement {
  const choices = schema.oneOf ?? schema.anyOf;
  const content =
    schema.properties !== undefined
      ? fieldsOf(`Fields of ${name}`, schema)
      : choices !== undefined
        ? element(
            "ul",
            {},
            choices.map((choice) => element("li", {}, choiceOf(choice))),
          )
        : element("p", {}, ...kindOf(schema), schema.pattern && [", ", element("code", {}, schema.pattern)]);
  return element(
    "section",
    { id: anchorOf(name) },
    element("h3", {}, name),
    element("p", {}, ...prose(schema.description ?? "")),
    content,
  );
}

/** One of several forms of a type: a value, or an object that is told by its `type`. */
function choiceOf(schema: Schema): (Node | string)[] {
  const about = schema.description === undefined ? [] : [": ", ...prose(schema.description)];
  const kind = schema.properties?.type?.const;
  if (typeof kind !== "string") return [...kindOf(schema), ...about];
  const fields = Object.entries(schema.properties ?? {}).filter(([name]) => name !== "type");
  const told = fields.flatMap(([name, field]) => [", ", element("code", {}, name), " ", ...kindOf(field)]);
  return [element("code", {}, JSON.stringify(kind)), ...told, ...about];
}
