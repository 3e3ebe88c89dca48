// Lines of chat on their way: kept until the room has stored them, sent again after a loss.
import type { ServerMessage } from "../generated/protocol.ts";

/** A line that the room has not stored yet. */
export interface PendingLine {
  readonly nonce: string;
  readonly text: string;
  /** Why the room refused it; null while it is on its way. */
  readonly refused: string | null;
}

export type Outbox = readonly PendingLine[];

export function withLine(outbox: Outbox, nonce: string, text: string): Outbox {
  return [...outbox, { nonce, text, refused: null }];
}

/**
 * The outbox after an own line has come back as an event: that one is stored. The event comes just before the
 * acknowledgment, and the line is not to stand there twice in between.
 */
export function afterEcho(outbox: Outbox, text: string): Outbox {
  const echoed = outbox.findIndex((line) => line.text === text && line.refused === null);
  return echoed < 0 ? outbox : outbox.toSpliced(echoed, 1);
}

/** The outbox after a message of the room: stored lines are gone, refused ones say why. */
export function afterMessage(outbox: Outbox, message: ServerMessage): Outbox {
  if (message.type === "chatAccepted") return outbox.filter(({ nonce }) => nonce !== message.nonce);
  if (message.type !== "error" || message.nonce === null) return outbox;
  return outbox.map((line) => (line.nonce === message.nonce ? { ...line, refused: message.message } : line));
}
