// Words: a name that runs the other way does not turn the words around it.
import { expect, it } from "vitest";
import { isolated } from "./words.ts";

it.each(["Ada", "Émile", "李小龍", "👩🏽‍🚀"])("leaves %s as it is", (name) => {
  expect(isolated(name)).toBe(name);
});

it.each(["שלום", "محمد", "Ada שלום", "ߒߞߏ", "𞤀𞤣𞤤𞤢𞤥", "a\u202eb"])("keeps %j to itself", (name) => {
  expect(isolated(name)).toBe(`\u2068${name}\u2069`);
});
