// A subject of a call, such as its polls: what the call hands to each, and nothing of what is in it.
import type { RoomEvent, Snapshot } from "../generated/protocol.ts";
import type { OtherMessage, Refusal } from "./signaling.ts";

export interface Subject {
  /** The room listens, from now on or again. The snapshot is null when the events that were missed follow. */
  welcome(snapshot: Snapshot | null): void;
  happen(event: RoomEvent): void;
  receive(message: OtherMessage): void;
  refused(refusal: Refusal): void;
  /** The call is over. */
  end(): void;
}

/** Several as one: each is handed everything, in this order. */
export function asOne(subjects: readonly Subject[]): Subject {
  const each = (run: (subject: Subject) => void) => {
    for (const subject of subjects) run(subject);
  };
  return {
    welcome: (snapshot) => each((subject) => subject.welcome(snapshot)),
    happen: (event) => each((subject) => subject.happen(event)),
    receive: (message) => each((subject) => subject.receive(message)),
    refused: (refusal) => each((subject) => subject.refused(refusal)),
    end: () => each((subject) => subject.end()),
  };
}
