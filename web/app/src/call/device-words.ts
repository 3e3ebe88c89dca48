// Microphone, camera and speaker in words: what they are called, and what keeps them from working as chosen.
import type { AudioOutputState, DeviceName, DeviceProblem, LocalDevice, LocalState } from "@connect/sdk/call";

export const DEVICE: Record<DeviceName, string> = { microphone: "Microphone", camera: "Camera" };

/** Why it is off. */
const FAILED: Record<DeviceProblem, (name: DeviceName) => string> = {
  denied: (name) =>
    `Your ${name} is blocked. Allow it in your browser's site settings, then turn it on again.`,
  missing: (name) => `No ${name} was found. Plug one in and turn it on, or go on without.`,
  busy: (name) => `Your ${name} is in use by another program.`,
  unsupported: (name) => `This browser gives no access to your ${name} here. A page with https is needed.`,
};

/** Why it is not the chosen one that is on. */
const REPLACED: Record<DeviceProblem, string> = {
  denied: "is blocked by your browser",
  missing: "is not connected",
  busy: "is in use by another program",
  unsupported: "cannot be used here",
};

const UNHEARD: Record<DeviceName, string> = { microphone: "hears", camera: "sees" };

/** What is wrong with microphone and camera, a line each. */
export function deviceProblems(local: LocalState): string[] {
  return (["microphone", "camera"] as const).flatMap((name) => deviceProblem(name, local[name]) ?? []);
}

/** What is wrong with the speaker, in a line; null when nothing is. */
export function speakerProblem({ missing }: AudioOutputState): string | null {
  return missing
    ? "The speaker that you chose is not connected. The standard one plays until it is back."
    : null;
}

/** What a press on a device's button does, and why it is not simply on or off. */
export function toggleTitle(name: DeviceName, { status, wanted }: LocalDevice, forbidden: boolean): string {
  if (forbidden) return `The host has turned off your ${name}`;
  if (!wanted) return `Turn ${name} on`;
  if (status === "opening") return `Your ${name} is starting: press to leave it off`;
  if (status === "interrupted") return `Your system has muted your ${name}: press to keep it off`;
  if (status === "lost") return `Your ${name} was unplugged: press to keep it off`;
  return `Turn ${name} off`;
}

function deviceProblem(name: DeviceName, { status, problem, track }: LocalDevice): string | null {
  switch (status) {
    case "lost":
      return `Your ${name} was unplugged. It is on again as soon as you plug one in.`;
    case "interrupted":
      return `Your system has muted your ${name}: nobody ${UNHEARD[name]} you. It comes back by itself.`;
    case "off":
      return problem === null ? null : FAILED[problem](name);
    case "on":
      if (problem === null) return null;
      return `The ${name} that you chose ${REPLACED[problem]}. ${track?.label || "Another one"} is on instead.`;
    case "opening":
      return null;
  }
}
