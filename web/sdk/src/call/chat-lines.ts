// The lines of chat that a client holds, after what has happened to them. Their order never changes.
import type { ChatMessage, ReactionCount, RoomEvent, UserId } from "../generated/protocol.ts";

/** Lines kept in memory; older ones are dropped. */
const MAX_CHAT_LINES = 500;
/** As many for whoever has paged further back than that, and reads there. */
const MAX_PAGED_LINES = 20_000;

type ChatEvent = Extract<RoomEvent, { type: "chat" | "chatEdited" | "chatDeleted" | "chatReacted" }>;

/** The lines after an event, as this user sees them. */
export function afterChat(
  lines: readonly ChatMessage[],
  event: ChatEvent,
  user: UserId | null,
): readonly ChatMessage[] {
  switch (event.type) {
    case "chat":
      if (lines.some(({ id }) => id === event.message.id)) return lines;
      return [...lines, event.message].slice(
        lines.length > MAX_CHAT_LINES ? -MAX_PAGED_LINES : -MAX_CHAT_LINES,
      );
    case "chatEdited":
      return change(lines, event.id, () => ({ text: event.text, editedAt: event.editedAt }));
    case "chatDeleted":
      return change(lines, event.id, () => ({ deleted: true, text: "", mentions: [], reactions: [] }));
    case "chatReacted": {
      const { reaction, count, on } = event;
      return change(lines, event.id, ({ reactions = [] }) => {
        const mine = event.user === user ? on : isMine(reactions, reaction);
        const others = reactions.filter((other) => other.reaction !== reaction);
        return { reactions: count === 0 ? others : [...others, { reaction, count, mine }] };
      });
    }
  }
}

/** The lines with those before them. */
export function withEarlier(
  lines: readonly ChatMessage[],
  earlier: readonly ChatMessage[],
): readonly ChatMessage[] {
  const known = new Set(lines.map(({ id }) => id));
  return [...earlier.filter(({ id }) => !known.has(id)), ...lines];
}

function isMine(reactions: readonly ReactionCount[], reaction: string): boolean {
  return reactions.some((other) => other.reaction === reaction && other.mine);
}

function change(
  lines: readonly ChatMessage[],
  id: string,
  fields: (line: ChatMessage) => Partial<ChatMessage>,
): readonly ChatMessage[] {
  return lines.map((line) => (line.id === id ? { ...line, ...fields(line) } : line));
}
