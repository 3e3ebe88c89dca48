// Tags of languages (BCP 47), such as `en` or `pt-BR`.
import { MAX_LANGUAGE_BYTES } from "../generated/protocol.ts";

const SHAPE = /^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/;

/** Whether this has the shape of a language's tag, as a node takes it. */
export function isLanguage(tag: string): boolean {
  return tag.length <= MAX_LANGUAGE_BYTES && SHAPE.test(tag);
}
