// A poll: what can be chosen, how it stands, and for who keeps order its end.
import type { NamedVote, Poll } from "@connect/sdk";
import type { Polls } from "@connect/sdk/call";
import { type FormEvent, useState } from "react";

interface PollCardProps {
  polls: Polls;
  poll: Poll;
  /** What one has chosen, as the room has it. */
  own: readonly number[];
  /** Who voted for what, once that was asked for. */
  named: readonly NamedVote[] | null;
  /** Whether one may close and delete it. */
  holds: boolean;
}

export function PollCard({ polls, poll, own, named, holds }: PollCardProps) {
  const open = poll.closedAt === null;
  return (
    <article className="poll" aria-label={poll.question}>
      <h3 dir="auto">{poll.question}</h3>
      {open && <Ballot polls={polls} poll={poll} own={own} />}
      {(poll.results.counts !== null || !open) && <Results poll={poll} own={own} named={named} />}
      <p className="muted small">{standing(poll)}</p>
      <div className="poll-actions">
        {!poll.anonymous && poll.results.counts !== null && (
          <button type="button" className="button quiet" onClick={() => polls.showVotes(poll.id)}>
            {named === null ? "Who voted" : "Update who voted"}
          </button>
        )}
        {holds && open && (
          <button type="button" className="button secondary" onClick={() => polls.close(poll.id)}>
            Close poll
          </button>
        )}
        {holds && <Delete onDelete={() => polls.delete(poll.id)} />}
      </div>
    </article>
  );
}

/** The options to choose from. What is marked counts once it is sent. */
function Ballot({ polls, poll, own }: Pick<PollCardProps, "polls" | "poll" | "own">) {
  const [marked, setMarked] = useState<readonly number[] | null>(null);
  const chosen = marked ?? own;
  const mark = (option: number, on: boolean) => {
    const others = poll.multiple ? chosen.filter((other) => other !== option) : [];
    setMarked(on ? [...others, option] : others);
  };
  const vote = (event: FormEvent) => {
    event.preventDefault();
    polls.vote(poll.id, chosen);
    setMarked(null);
  };
  return (
    <form onSubmit={vote}>
      <fieldset className="poll-options">
        <legend className="muted small">{poll.multiple ? "Choose one or several" : "Choose one"}</legend>
        {poll.options.map((option, number) => (
          <label key={option} className="poll-option">
            <input
              type={poll.multiple ? "checkbox" : "radio"}
              name={`poll-${poll.id}`}
              checked={chosen.includes(number)}
              onChange={(event) => mark(number, event.target.checked)}
            />
            <span dir="auto">{option}</span>
          </label>
        ))}
      </fieldset>
      <div className="poll-actions">
        <button type="submit" className="button" disabled={marked === null}>
          {own.length === 0 ? "Vote" : "Change vote"}
        </button>
        {own.length > 0 && (
          <button type="button" className="button quiet" onClick={() => polls.vote(poll.id, [])}>
            Take vote back
          </button>
        )}
        {own.length > 0 && marked === null && (
          <span className="small" role="status">
            Your vote is counted
          </span>
        )}
      </div>
    </form>
  );
}

function Results({ poll, own, named }: Pick<PollCardProps, "poll" | "own" | "named">) {
  const { counts, voters } = poll.results;
  if (counts === null) return null;
  return (
    <ul className="poll-results" aria-label="Results">
      {poll.options.map((option, number) => (
        <li key={option}>
          <span className="poll-result">
            <bdi>{option}</bdi>
            {own.includes(number) && <span className="muted"> (your vote)</span>}
            <span className="poll-count">{counts[number] ?? 0}</span>
          </span>
          <meter min={0} max={Math.max(1, voters)} value={counts[number] ?? 0} aria-hidden="true" />
          {named !== null && <Voters votes={named.filter(({ choices }) => choices.includes(number))} />}
        </li>
      ))}
    </ul>
  );
}

function Voters({ votes }: { votes: readonly NamedVote[] }) {
  return (
    <span className="muted small">
      {votes.map(({ user, name }, place) => (
        <span key={user}>
          {place > 0 && ", "}
          <bdi>{name}</bdi>
        </span>
      ))}
    </span>
  );
}

function Delete({ onDelete }: { onDelete: () => void }) {
  const [asking, setAsking] = useState(false);
  if (!asking) {
    return (
      <button type="button" className="button quiet" onClick={() => setAsking(true)}>
        Delete poll
      </button>
    );
  }
  return (
    <>
      <button type="button" className="button danger" onClick={onDelete}>
        Yes, delete
      </button>
      <button type="button" className="button secondary" onClick={() => setAsking(false)}>
        Cancel
      </button>
    </>
  );
}

/** How a poll stands, and what of it is told. */
function standing({ anonymous, closedAt, shows, results: { voters, counts } }: Poll): string {
  const votes = voters === 1 ? "1 vote" : `${voters} votes`;
  const words = [votes, anonymous && "Anonymous", closedAt !== null && "Closed"];
  if (counts === null && closedAt === null && shows === "atClosing") words.push("Results when it is closed");
  else if (counts === null) words.push("Results from three votes on, so that nobody can tell who chose what");
  return words.filter(Boolean).join(" · ");
}
