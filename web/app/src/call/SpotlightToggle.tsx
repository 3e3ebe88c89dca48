// The spotlight: who keeps order has everybody see somebody first and large.
import type { Participant } from "@connect/sdk";
import type { Call } from "@connect/sdk/call";
import { useReadable } from "../api-context.ts";
import { SpotlightIcon } from "../ui/icons.tsx";
import { isolated } from "../ui/words.ts";

export function SpotlightToggle({ call, person }: { call: Call; person: Participant }) {
  const on = useReadable(call.spotlight.state).includes(person.id);
  return (
    <button
      type="button"
      className="button quiet"
      aria-label={`Spotlight ${isolated(person.name)} for everybody`}
      aria-pressed={on}
      onClick={() => call.spotlight.set(person.id, !on)}
    >
      <SpotlightIcon />
    </button>
  );
}
