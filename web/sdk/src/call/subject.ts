// A subject of a call, such as its polls: what the call hands to each, and nothing of what is in it.
import type { RoomEvent, Snapshot } from "../generated/protocol.ts";
import type { OtherMessage, Refusal } from "./signaling.ts";

/** How a call is over: by one's own will, by another's, or for now, so that one may try again. */
export type Ending = "left" | "over" | "failed";

/** Each hears what it is about. */
export interface Subject {
  /** The room listens, from now on or again. The snapshot is null when the events that were missed follow. */
  welcome?(snapshot: Snapshot | null): void;
  happen?(event: RoomEvent): void;
  receive?(message: OtherMessage): void;
  refused?(refusal: Refusal): void;
  /** The connection to the room is lost, for now. */
  lost?(): void;
  /** One is about to leave: the last moment to tell the room something. */
  flush?(): void;
  /** The call is over. */
  end?(ending: Ending): void;
}

/** Several as one: each is handed everything, in this order. */
export function asOne(subjects: readonly Subject[]): Required<Subject> {
  const each = (run: (subject: Subject) => void) => {
    for (const subject of subjects) run(subject);
  };
  return {
    welcome: (snapshot) => each((subject) => subject.welcome?.(snapshot)),
    happen: (event) => each((subject) => subject.happen?.(event)),
    receive: (message) => each((subject) => subject.receive?.(message)),
    refused: (refusal) => each((subject) => subject.refused?.(refusal)),
    lost: () => each((subject) => subject.lost?.()),
    flush: () => each((subject) => subject.flush?.()),
    end: (ending) => each((subject) => subject.end?.(ending)),
  };
}
