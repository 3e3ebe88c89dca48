// What is a language's tag: the same as for a media node, by the same examples.
import { expect, it } from "vitest";
import examples from "../../../protocol/src/client/captions/languages.json";
import { isLanguage } from "../src/call/language.ts";

it.each(examples.languages)("%s is one", (tag) => expect(isLanguage(tag)).toBe(true));
it.each(examples.others)("%s is none", (tag) => expect(isLanguage(tag)).toBe(false));
