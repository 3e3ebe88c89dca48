// What one is in the room oneself.
import type { Role } from "@connect/sdk";
import type { CallState } from "@connect/sdk/call";

export function ownRole({ participants, you }: CallState): Role | undefined {
  return participants.find(({ id }) => id === you)?.role;
}
