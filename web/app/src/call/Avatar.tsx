// Stands for somebody without a picture.
import { initialsOf, tintOf } from "./initials.ts";

const TINTS = 6;

export function Avatar({ name, id }: { name: string; id: string }) {
  return (
    <span className={`avatar tint-${tintOf(id, TINTS)}`} aria-hidden="true">
      {initialsOf(name)}
    </span>
  );
}
