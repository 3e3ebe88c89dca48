// The room's polls, the latest first; for who keeps order also the way to make, close and delete them.
import type { Poll } from "@connect/sdk";
import { type Call, type CallState, keepsOrder } from "@connect/sdk/call";
import { useState } from "react";
import { useReadable } from "../api-context.ts";
import { PollCard } from "./PollCard.tsx";
import { PollForm } from "./PollForm.tsx";

export function PollsPanel({ call, state }: { call: Call; state: CallState }) {
  const { polls, own, named } = useReadable(call.polls.state);
  const [writing, setWriting] = useState(false);
  const holds = keepsOrder(state.participants.find(({ id }) => id === state.you)?.role);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so a keyboard has to get there.
    <section className="polls" aria-label="Polls" tabIndex={0}>
      {holds && !writing && (
        <button type="button" className="button secondary" onClick={() => setWriting(true)}>
          New poll
        </button>
      )}
      {holds && writing && (
        <PollForm
          onMade={(draft) => {
            call.polls.create(draft);
            setWriting(false);
          }}
          onCancel={() => setWriting(false)}
        />
      )}
      {polls.length === 0 && !writing && <p className="muted small">No polls yet.</p>}
      {polls.toReversed().map((poll: Poll) => (
        <PollCard
          key={poll.id}
          polls={call.polls}
          poll={poll}
          own={own.get(poll.id) ?? []}
          named={named.get(poll.id) ?? null}
          holds={holds}
        />
      ))}
    </section>
  );
}
