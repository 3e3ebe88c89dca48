// The room's chat: its lines, from the first one on if one wants to, and a box to write.
import type { ChatMessage, Participant } from "@connect/sdk";
import { type Call, type CallState, type Earlier, keepsOrder, type PendingLine } from "@connect/sdk/call";
import { useMemo, useRef, useState } from "react";
import { sentence } from "../ui/words.ts";
import { ChatLine } from "./ChatLine.tsx";
import { Composer, type Subject } from "./Composer.tsx";
import { useFollowing } from "./follow.ts";
import { useUnread } from "./unread.ts";
import { useReads } from "./use-reads.ts";

export function ChatPanel({ call, state }: { call: Call; state: CallState }) {
  const { chat, outbox, participants, you, typing } = state;
  const list = useRef<HTMLDivElement>(null);
  const lines = useMemo(() => [chat, outbox], [chat, outbox]);
  const { isAtEnd, toEnd, stay } = useFollowing(list, lines);
  const unread = useUnread(chat, isAtEnd);
  useReads(call, chat, isAtEnd);
  const [subject, setSubject] = useState<Subject | null>(null);
  const byId = useMemo(() => new Map(chat.map((line) => [line.id, line])), [chat]);
  const own = participants.find(({ id }) => id === you);
  const user = own?.user;
  const isMine = (line: ChatMessage) =>
    line.participant === you || (line.user !== null && line.user === user);
  const others = participants.filter((person) => person.user !== user);

  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so a keyboard has to get there. */}
      <div className="lines" role="log" aria-label="Conversation" tabIndex={0} ref={list}>
        <Before
          earlier={state.earlier}
          onShow={() => {
            stay();
            call.chat.showEarlier();
          }}
        />
        {chat.length + outbox.length === 0 && state.earlier === "none" && (
          <p className="muted small">Nothing said yet. What you write stays with the room.</p>
        )}
        {chat.map((line) => (
          <ChatLine
            key={line.id}
            call={call}
            line={line}
            answers={byId.get(line.replyTo ?? "") ?? null}
            user={user}
            isMine={isMine(line)}
            keepsOrder={keepsOrder(own?.role)}
            onReply={() => setSubject({ line, what: "reply" })}
            onEdit={() => setSubject({ line, what: "edit" })}
          />
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
      <Typing people={participants.filter(({ id }) => typing.includes(id))} />
      <Composer
        call={call}
        others={others}
        subject={subject}
        onDone={(sent) => {
          const edited = subject?.what === "edit";
          setSubject(null);
          if (sent && !edited) toEnd();
        }}
      />
    </>
  );
}

/** What is before the first line. */
function Before({ earlier, onShow }: { earlier: Earlier; onShow: () => void }) {
  if (earlier === "none") return null;
  if (earlier === "gone") return <p className="muted small">Earlier messages are not kept any more.</p>;
  return (
    <button type="button" className="button secondary" aria-disabled={earlier === "loading"} onClick={onShow}>
      {earlier === "loading" ? "Loading earlier messages" : "Show earlier"}
    </button>
  );
}

function Typing({ people }: { people: readonly Participant[] }) {
  const [first, second, ...more] = people;
  if (first === undefined) return null;
  return (
    <p className="typing muted small">
      <bdi>{first.name}</bdi>
      {second === undefined && " is typing"}
      {second !== undefined && more.length === 0 && (
        <>
          {" and "}
          <bdi>{second.name}</bdi> are typing
        </>
      )}
      {more.length > 0 && ` and ${more.length + 1} others are typing`}
    </p>
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
            <button type="button" className="button secondary" onClick={() => call.chat.retry(line.nonce)}>
              Try again
            </button>
            <button type="button" className="button quiet" onClick={() => call.chat.drop(line.nonce)}>
              Delete
            </button>
          </div>
        </>
      )}
    </div>
  );
}
