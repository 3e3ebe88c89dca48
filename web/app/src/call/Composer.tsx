// The box to write in: a new line, an answer to one, another text for one's own; to everybody or to one alone.
import { type ChatMessage, MAX_CHAT_BYTES, type Participant } from "@connect/sdk";
import type { Call } from "@connect/sdk/call";
import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { endWith, mentionedIn, namesFor } from "./mentions.ts";

const bytes = new TextEncoder();

/** What is written is about a line. */
export interface Subject {
  readonly line: ChatMessage;
  readonly what: "reply" | "edit";
}

interface ComposerProps {
  call: Call;
  /** Who is here beside oneself. */
  others: readonly Participant[];
  subject: Subject | null;
  /** A line was sent, or is not to be about another any more. */
  onDone: (sent: boolean) => void;
}

export function Composer({ call, others, subject, onDone }: ComposerProps) {
  const [text, setText] = useState("");
  const [to, setTo] = useState("");
  const box = useRef<HTMLTextAreaElement>(null);
  const tooLong = bytes.encode(text.trim()).length > MAX_CHAT_BYTES;
  const editing = subject?.what === "edit";
  // An answer to a private line is private.
  const replied = subject?.what === "reply" ? subject.line : null;
  const partner =
    replied?.to && (others.some(({ user }) => user === replied.user) ? replied.user : replied.to.user);
  const recipient = partner ?? others.find(({ user }) => user === to)?.user;

  useEffect(() => {
    if (subject === null) return;
    if (subject.what === "edit") setText(subject.line.text);
    box.current?.focus();
  }, [subject]);

  const send = () => {
    const line = text.trim();
    if (line === "" || tooLong) return;
    if (editing) call.chat.edit(subject.line.id, line);
    else
      call.chat.say(line, {
        mentions: mentionedIn(line, others),
        ...(replied && { replyTo: replied.id }),
        ...(recipient && { to: recipient }),
      });
    setText("");
    onDone(true);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape" && subject !== null) return giveUp();
    // Enter that ends a composition (Japanese, Chinese) is not meant to send.
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };
  const giveUp = () => {
    if (editing) setText("");
    onDone(false);
  };
  const write = (text: string) => {
    setText(text);
    if (recipient === undefined && !editing && text !== "") call.chat.types();
  };

  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {subject !== null && (
        <p className="composer-subject">
          <span className="muted small">
            {editing ? "Changing your message" : "Reply to "}
            {!editing && <bdi>{subject.line.name}</bdi>}
          </span>
          <button type="button" className="button quiet" onClick={giveUp}>
            Cancel
          </button>
        </p>
      )}
      {!editing && !partner && others.length > 0 && (
        <select aria-label="To" value={recipient ?? ""} onChange={(event) => setTo(event.target.value)}>
          <option value="">To everyone</option>
          {others.map(({ id, user, name }) => (
            <option key={id} value={user}>
              To {name} alone
            </option>
          ))}
        </select>
      )}
      <textarea
        ref={box}
        aria-label="Message"
        placeholder={recipient === undefined ? "Write to everyone" : "Write to one alone"}
        rows={1}
        dir="auto"
        value={text}
        onChange={(event) => write(event.target.value)}
        onKeyDown={onKeyDown}
        aria-invalid={tooLong}
      />
      <button type="submit" className="button">
        {editing ? "Save" : "Send"}
      </button>
      <Names
        names={namesFor(text, others)}
        onChoose={(name) => {
          setText(endWith(text, name));
          box.current?.focus();
        }}
      />
      {tooLong && (
        <p className="field-error" role="alert">
          That is too long for one line. Cut it in two.
        </p>
      )}
    </form>
  );
}

/** Who may be meant by the name that one has begun. */
function Names({ names, onChoose }: { names: readonly string[]; onChoose: (name: string) => void }) {
  if (names.length === 0) return null;
  return (
    <fieldset className="composer-names" aria-label="Mention">
      {names.map((name) => (
        <button
          key={name}
          type="button"
          className="button secondary"
          aria-label={`@${name}`}
          onClick={() => onChoose(name)}
        >
          @<bdi>{name}</bdi>
        </button>
      ))}
    </fieldset>
  );
}
