// The room's chat: its lines, and a box to write.
import { MAX_CHAT_BYTES } from "@connect/sdk";
import type { Call, CallState } from "@connect/sdk/call";
import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { sentence } from "../ui/words.ts";

const TIME = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const bytes = new TextEncoder();

export function ChatPanel({ call, state }: { call: Call; state: CallState }) {
  const { chat, outbox, you } = state;
  const [text, setText] = useState("");
  const end = useRef<HTMLDivElement>(null);
  const tooLong = bytes.encode(text.trim()).length > MAX_CHAT_BYTES;

  const lineCount = chat.length + outbox.length;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new line is what moves the view.
  useEffect(() => {
    // Newer browsers return a promise here: not to be taken for a clean-up.
    end.current?.scrollIntoView({ block: "end" });
  }, [lineCount]);

  const send = () => {
    const line = text.trim();
    if (line === "" || tooLong) return;
    call.chat(line);
    setText("");
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // Enter that ends a composition (Japanese, Chinese) is not meant to send.
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };

  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so a keyboard has to get there. */}
      <div className="lines" role="log" aria-label="Conversation" tabIndex={0}>
        {lineCount === 0 && (
          <p className="muted small">Nothing said yet. What you write stays with the room.</p>
        )}
        {chat.map((line) => (
          <div key={line.id} className={line.participant === you ? "line mine" : "line"}>
            <p className="line-head">
              <span>{line.participant === you ? "You" : line.name}</span>
              <time dateTime={new Date(line.sentAt).toISOString()}>{TIME.format(line.sentAt)}</time>
            </p>
            <p className="line-text">{line.text}</p>
          </div>
        ))}
        {outbox.map((line) => (
          <div key={line.nonce} className="line mine pending">
            <p className="line-text">{line.text}</p>
            {line.refused !== null && <p className="field-error">Not sent. {sentence(line.refused)}</p>}
          </div>
        ))}
        <div ref={end} />
      </div>
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
    </>
  );
}
