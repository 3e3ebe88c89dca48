// Polls: asked by who keeps order, answered by everybody, and counted by the room.
import type {
  NamedVote,
  OwnVote,
  Poll,
  PollDraft,
  PollId,
  RoomEvent,
  Snapshot,
} from "../generated/protocol.ts";
import { type Readable, Store } from "../store.ts";
import { type DeedHandlers, Deeds } from "./deeds.ts";
import type { OtherMessage, Refusal } from "./signaling.ts";
import type { Subject } from "./subject.ts";

export interface PollsState {
  /** The room's polls, the oldest first. */
  readonly polls: readonly Poll[];
  /** What one has chosen, as the room has stored it: the numbers of the options, in their order. */
  readonly own: ReadonlyMap<PollId, readonly number[]>;
  /** Who voted for what, where that was asked for. */
  readonly named: ReadonlyMap<PollId, readonly NamedVote[]>;
}

const NONE: PollsState = { polls: [], own: new Map(), named: new Map() };

/** The polls of a call. What the room refuses is said in the call's `refusal`. */
export class Polls implements Subject {
  readonly #state = new Store<PollsState>(NONE);
  readonly #deeds: Deeds;
  /** The nonces of polls that the room says were made. */
  readonly #made = new Set<string>();

  constructor(handlers: DeedHandlers) {
    this.#deeds = new Deeds(handlers);
  }

  get state(): Readable<PollsState> {
    return this.#state;
  }

  /** As one who keeps order: asks everybody something. */
  create(draft: PollDraft): void {
    const nonce = crypto.randomUUID();
    const isDone = () => this.#made.has(nonce);
    this.#deeds.do({ message: { type: "createPoll", nonce, draft }, about: nonce, isDone });
  }

  /** Chooses these options, whole each time; none takes the vote back. */
  vote(poll: PollId, choices: readonly number[]): void {
    const chosen = [...new Set(choices)].sort((a, b) => a - b);
    const isDone = () => `${this.#state.get().own.get(poll) ?? []}` === `${chosen}` || this.#isGone(poll);
    this.#deeds.do({ message: { type: "vote", poll, choices: chosen }, about: `vote ${poll}`, isDone });
  }

  /** As one who keeps order: ends the voting. */
  close(poll: PollId): void {
    const isDone = () => this.#isGone(poll) || this.#find(poll)?.closedAt !== null;
    this.#deeds.do({ message: { type: "closePoll", poll }, about: `close ${poll}`, isDone });
  }

  /** As one who keeps order: deletes a poll with all its votes. */
  delete(poll: PollId): void {
    const isDone = () => this.#isGone(poll);
    this.#deeds.do({ message: { type: "deletePoll", poll }, about: `delete ${poll}`, isDone });
  }

  /** Asks who voted for what, as it is now: it comes in `state.named`. An anonymous poll does not tell. */
  showVotes(poll: PollId): void {
    const { named } = this.#state.get();
    const isDone = () => this.#state.get().named !== named || this.#isGone(poll);
    this.#deeds.do({ message: { type: "showVotes", poll }, about: `show ${poll}`, isDone });
  }

  welcome(snapshot: Snapshot | null): void {
    // A room of the release before says nothing of polls.
    if (snapshot !== null) this.#state.set({ ...NONE, polls: snapshot.polls ?? [] });
    for (const { nonce } of this.#state.get().polls) this.#made.add(nonce);
    this.#deeds.look();
    this.#deeds.again();
  }

  happen(event: RoomEvent): void {
    this.#state.patch({ polls: pollsAfter(this.#state.get().polls, event) });
    if (event.type === "poll") this.#made.add(event.poll.nonce);
    this.#deeds.look();
  }

  receive(message: OtherMessage): void {
    if (message.type === "pollCreated") this.#made.add(message.nonce);
    if (message.type === "ownVotes") this.#state.patch({ own: byPoll(message.votes) });
    if (message.type === "pollVotes") {
      const named = new Map(this.#state.get().named).set(message.poll, message.votes);
      this.#state.patch({ named });
    }
    this.#deeds.look();
  }

  refused(refusal: Refusal): void {
    this.#deeds.refused(refusal);
  }

  end(): void {
    this.#deeds.clear();
    this.#made.clear();
    this.#state.set(NONE);
  }

  #find(id: PollId): Poll | undefined {
    return this.#state.get().polls.find((poll) => poll.id === id);
  }

  #isGone(id: PollId): boolean {
    return this.#find(id) === undefined;
  }
}

/** The polls after an event. Applying one twice changes nothing more. */
function pollsAfter(polls: readonly Poll[], event: RoomEvent): readonly Poll[] {
  switch (event.type) {
    case "poll":
      return polls.some(({ id }) => id === event.poll.id)
        ? polls.map((poll) => (poll.id === event.poll.id ? event.poll : poll))
        : [...polls, event.poll];
    case "pollResults":
      return polls.map((poll) => (poll.id === event.poll ? { ...poll, results: event.results } : poll));
    case "pollDeleted":
      return polls.filter(({ id }) => id !== event.poll);
    default:
      return polls;
  }
}

function byPoll(votes: readonly OwnVote[]): ReadonlyMap<PollId, readonly number[]> {
  return new Map(votes.map(({ poll, choices }) => [poll, choices]));
}
