// A line of chat: who said what and when, to whom, what others feel about it, and what one can do with it.
import type { ChatMessage, ChatReaction } from "@connect/sdk";
import type { Call } from "@connect/sdk/call";
import { useState } from "react";
import { LineText } from "./line-text.tsx";

const TIME = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });

/** In the order in which they are shown. */
const REACTIONS: readonly (readonly [ChatReaction, face: string, name: string])[] = [
  ["thumbsUp", "👍", "Thumbs up"],
  ["heart", "❤️", "Heart"],
  ["laugh", "😂", "Laugh"],
  ["wow", "😮", "Wow"],
  ["sad", "😢", "Sad"],
  ["party", "🎉", "Party"],
];

export interface LineProps {
  call: Call;
  line: ChatMessage;
  /** The line that it answers, where it is shown too. */
  answers: ChatMessage | null;
  /** The user who looks. */
  user: string | undefined;
  isMine: boolean;
  /** Whether one may delete what others have said. */
  keepsOrder: boolean;
  onReply: () => void;
  onEdit: () => void;
}

export function ChatLine(props: LineProps) {
  const { line, answers, user, isMine } = props;
  const mentionsMe = user !== undefined && (line.mentions?.some((mention) => mention.user === user) ?? false);
  const classes = ["line", isMine && "mine", mentionsMe && "mentions-me", line.to && "private"];
  return (
    <div className={classes.filter(Boolean).join(" ")} data-key={line.id}>
      <p className="line-head">
        <bdi>{isMine ? "You" : line.name}</bdi>
        {line.to && (
          <span className="line-note">
            to <bdi>{line.to.user === user ? "you" : line.to.name}</bdi> alone
          </span>
        )}
        <time dateTime={new Date(line.sentAt).toISOString()}>{TIME.format(line.sentAt)}</time>
        {line.editedAt !== undefined && !line.deleted && <span className="line-note">edited</span>}
        {mentionsMe && <span className="line-note">mentions you</span>}
      </p>
      {line.deleted ? (
        <p className="muted small">This message was deleted.</p>
      ) : (
        <>
          {line.replyTo !== undefined && <Quote line={answers} />}
          <p className="line-text" dir="auto">
            <LineText text={line.text} mentions={line.mentions} />
          </p>
          <Reactions {...props} />
          <Actions {...props} />
        </>
      )}
    </div>
  );
}

function Quote({ line }: { line: ChatMessage | null }) {
  if (line === null) return <p className="line-quote muted">An earlier message</p>;
  return (
    <p className="line-quote muted" dir="auto">
      <bdi>{line.name}</bdi>: {line.deleted ? "deleted" : line.text}
    </p>
  );
}

/** What others feel, each with its count; a click feels so too, or no more. */
function Reactions({ call, line }: LineProps) {
  if ((line.reactions ?? []).length === 0) return null;
  return (
    <div className="line-reactions">
      {REACTIONS.map(([reaction, face, name]) => {
        const { count, mine } = line.reactions?.find((one) => one.reaction === reaction) ?? {};
        if (count === undefined) return null;
        return (
          <button
            key={reaction}
            type="button"
            className="button secondary"
            aria-pressed={mine}
            aria-label={`${name}, ${count}`}
            onClick={() => call.chat.react(line.id, reaction, !mine)}
          >
            {face} {count}
          </button>
        );
      })}
    </div>
  );
}

function Actions({ call, line, isMine, keepsOrder, onReply, onEdit }: LineProps) {
  const [asking, setAsking] = useState(false);
  if (asking) {
    return (
      <div className="line-actions">
        <span className="small">Delete this message for good?</span>
        <button type="button" className="button danger" onClick={() => call.chat.remove(line.id)}>
          Yes, delete
        </button>
        <button type="button" className="button secondary" onClick={() => setAsking(false)}>
          Cancel
        </button>
      </div>
    );
  }
  const isOn = (reaction: ChatReaction) =>
    line.reactions?.some((one) => one.mine && one.reaction === reaction);
  return (
    <details className="line-more">
      <summary aria-label={`More for the message of ${isMine ? "yours" : line.name}`}>More</summary>
      <div className="line-actions">
        <button type="button" className="button secondary" onClick={onReply}>
          Reply
        </button>
        {isMine && (
          <button type="button" className="button secondary" onClick={onEdit}>
            Edit
          </button>
        )}
        {(isMine || keepsOrder) && (
          <button type="button" className="button secondary" onClick={() => setAsking(true)}>
            Delete
          </button>
        )}
        {REACTIONS.map(([reaction, face, name]) => (
          <button
            key={reaction}
            type="button"
            className="button quiet"
            aria-label={name}
            aria-pressed={isOn(reaction) ?? false}
            onClick={() => call.chat.react(line.id, reaction, !isOn(reaction))}
          >
            {face}
          </button>
        ))}
      </div>
    </details>
  );
}
