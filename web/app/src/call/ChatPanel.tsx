// The room's chat: its lines, and a box to write.
import { type ChatMessage, MAX_CHAT_BYTES } from "@connect/sdk";
import type { Call, CallState, PendingLine } from "@connect/sdk/call";
import { type KeyboardEvent, useMemo, useRef, useState } from "react";
import { sentence } from "../ui/words.ts";
import { useFollowing } from "./follow.ts";
import { useUnread } from "./unread.ts";

const TIME = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const bytes = new TextEncoder();

export function ChatPanel({ call, state }: { call: Call; state: CallState }) {
  const { chat, outbox, participants, you } = state;
  const list = useRef<HTMLDivElement>(null);
  const lines = useMemo(() => [chat, outbox], [chat, outbox]);
  const { isAtEnd, toEnd } = useFollowing(list, lines);
  const unread = useUnread(chat, isAtEnd);
  const user = participants.find(({ id }) => id === you)?.user;
  const isMine = (line: ChatMessage) =>
    line.participant === you || (line.user !== null && line.user === user);

  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so a keyboard has to get there. */}
      <div className="lines" role="log" aria-label="Conversation" tabIndex={0} ref={list}>
        {chat.length + outbox.length === 0 && (
          <p className="muted small">Nothing said yet. What you write stays with the room.</p>
        )}
        {chat.map((line) => (
          <Line key={line.id} line={line} isMine={isMine(line)} />
        ))}
        {outbox.map((line) => (
          <Pending key={line.nonce} call={call} line={line} waits={state.status.name === "reconnecting"} />
        ))}
      </div>
      {unread > 0 && (
        <div className="new-lines">
          <button type="button" className="button" onClick={toEnd}>
            {unread === 1 ? "1 new message" : `${unread} new messages`}
          </button>
        </div>
      )}
      <Composer
        onSend={(text) => {
          call.chat(text);
          toEnd();
        }}
      />
    </>
  );
}

function Line({ line, isMine }: { line: ChatMessage; isMine: boolean }) {
  return (
    <div className={isMine ? "line mine" : "line"} data-key={line.id}>
      <p className="line-head">
        <bdi>{isMine ? "You" : line.name}</bdi>
        <time dateTime={new Date(line.sentAt).toISOString()}>{TIME.format(line.sentAt)}</time>
      </p>
      <p className="line-text" dir="auto">
        {line.text}
      </p>
    </div>
  );
}

/** A line that is not stored yet: on its way, waiting for the connection, or refused. */
function Pending({ call, line, waits }: { call: Call; line: PendingLine; waits: boolean }) {
  return (
    <div className="line mine pending" data-key={line.nonce}>
      <p className="line-text" dir="auto">
        {line.text}
      </p>
      {line.refused === null && waits && <p className="muted small">Waits for the connection</p>}
      {line.refused !== null && (
        <>
          <p className="field-error">Not sent. {sentence(line.refused)}</p>
          <div className="line-actions">
            <button type="button" className="button secondary" onClick={() => call.retryLine(line.nonce)}>
              Try again
            </button>
            <button type="button" className="button quiet" onClick={() => call.dropLine(line.nonce)}>
              Delete
            </button>
          </div>
        </>
      )}
    </div>
  );
}

function Composer({ onSend }: { onSend: (text: string) => void }) {
  const [text, setText] = useState("");
  const tooLong = bytes.encode(text.trim()).length > MAX_CHAT_BYTES;

  const send = () => {
    const line = text.trim();
    if (line === "" || tooLong) return;
    onSend(line);
    setText("");
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // Enter that ends a composition (Japanese, Chinese) is not meant to send.
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };

  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <textarea
        aria-label="Message"
        placeholder="Write to everyone"
        rows={1}
        dir="auto"
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={onKeyDown}
        aria-invalid={tooLong}
      />
      <button type="submit" className="button">
        Send
      </button>
      {tooLong && (
        <p className="field-error" role="alert">
          That is too long for one line. Cut it in two.
        </p>
      )}
    </form>
  );
}
