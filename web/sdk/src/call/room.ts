// The room as this client knows it: a snapshot, and the events since.
import {
  type ChatMessage,
  DEFAULT_SETTINGS,
  type Participant,
  type RoomEvent,
  type Settings,
  type Snapshot,
  type UserId,
} from "../generated/protocol.ts";
import { afterChat } from "./chat-lines.ts";

export interface RoomState {
  readonly settings: Settings;
  readonly participants: readonly Participant[];
  readonly chat: readonly ChatMessage[];
}

export const EMPTY_ROOM: RoomState = { settings: DEFAULT_SETTINGS, participants: [], chat: [] };

export function roomOf(snapshot: Snapshot): RoomState {
  // A room of the release before says nothing of its settings.
  const { settings = DEFAULT_SETTINGS, participants, chat } = snapshot;
  return { settings, participants, chat };
}

/** The room after an event, as this user sees it. Applying an event twice changes nothing more. */
export function afterEvent(room: RoomState, event: RoomEvent, user: UserId | null = null): RoomState {
  switch (event.type) {
    case "joined":
      return {
        ...room,
        participants: [...without(room.participants, event.participant.id), event.participant],
      };
    case "left":
      return { ...room, participants: without(room.participants, event.participant) };
    case "publishing":
      return change(room, event.participant, { publishing: event.publishing });
    case "role":
      return change(room, event.participant, { role: event.role });
    case "account":
      return afterTaking(room, event.participant, { user: event.user, name: event.name, guest: false });
    case "settings":
      return { ...room, settings: event.settings };
    case "caps":
      return change(room, event.participant, { caps: event.caps });
    case "placed":
      return change(room, event.participant, { region: event.region });
    case "connection":
      return change(room, event.participant, { connection: event.connection });
    case "chat":
    case "chatEdited":
    case "chatDeleted":
    case "chatReacted":
      return withChat(room, afterChat(room.chat, event, user));
    default:
      // An event of a newer release.
      return room;
  }
}

/** A guest has taken an account: what they have written is its user's from now on. */
function afterTaking(
  room: RoomState,
  id: string,
  account: Pick<Participant, "user" | "name" | "guest">,
): RoomState {
  const former = room.participants.find((participant) => participant.id === id)?.user;
  const chat = room.chat.map((line) => ({
    ...line,
    ...(line.user === former && { user: account.user }),
    ...(line.to && line.to.user === former && { to: { ...line.to, user: account.user } }),
  }));
  return { ...change(room, id, account), chat };
}

export function withChat(room: RoomState, chat: readonly ChatMessage[]): RoomState {
  return chat === room.chat ? room : { ...room, chat };
}

function without(participants: readonly Participant[], id: string): readonly Participant[] {
  return participants.filter((participant) => participant.id !== id);
}

function change(room: RoomState, id: string, fields: Partial<Participant>): RoomState {
  return {
    ...room,
    participants: room.participants.map((participant) =>
      participant.id === id ? { ...participant, ...fields } : participant,
    ),
  };
}
