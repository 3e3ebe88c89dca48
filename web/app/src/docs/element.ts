// Elements of the page: text is text, and never becomes HTML.

type Child = Node | string | undefined | Child[];

/** An element with attributes and children. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Record<string, string>,
  ...children: Child[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...flat(children));
  return made;
}

function flat(children: Child[]): (Node | string)[] {
  return children.flatMap((child) =>
    Array.isArray(child) ? flat(child) : child === undefined ? [] : [child],
  );
}

/** A text in which what stands between backticks is code. */
export function prose(text: string): (Node | string)[] {
  return text.split("`").map((part, at) => (at % 2 ? element("code", {}, part) : part));
}
