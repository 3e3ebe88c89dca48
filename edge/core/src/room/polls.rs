//! Polls in a room: who makes and ends them, and who votes. A vote is stored before anybody is told of it, and who gave it is
//! told to nobody but its user, unless the poll has names and they ask.

use std::collections::BTreeSet;

use protocol::client::{Deed, PollDraft, RoomEvent, ServerMessage};
use protocol::id::{PollId, UserId};

use super::record::Record;
use super::roles::Right;
use super::{Client, Effect, Room};
use crate::poll::{self, Ballot, Cast, Poll, State};
use crate::refusal::Refusal;
use crate::table::{Key, Table, flag, integer, json, text};

pub(super) const POLLS: Table = Table {
    name: "polls",
    tag: "Poll",
    since: 1,
    columns: &[
        integer("id").key(),
        text("nonce"),
        text("user"),
        text("name"),
        text("question").inside("draft"),
        json("options").inside("draft"),
        flag("multiple").inside("draft"),
        flag("anonymous").inside("draft"),
        text("shows").inside("draft"),
        integer("created_at"),
        json("state"),
    ],
    indexes: &[],
};

pub(super) const BALLOTS: Table = Table {
    name: "ballots",
    tag: "Ballot",
    since: 1,
    columns: &[
        integer("poll").key(),
        text("user").key(),
        text("name"),
        json("choices"),
    ],
    indexes: &[],
};

fn poll_key(id: PollId) -> Key {
    POLLS.key([id.0.into()])
}

fn ballot_key(poll: PollId, user: &UserId) -> Key {
    BALLOTS.key([poll.0.into(), user.as_str().into()])
}

impl Room {
    pub(super) fn creates_poll(
        &mut self,
        client: &Client,
        nonce: String,
        draft: PollDraft,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        self.require(client, Right::HoldPolls)?;
        poll::check(&nonce, &draft)?;
        let Some(person) = self.people.get(&client.participant) else {
            return Ok(());
        };
        let (user, name) = (person.user.clone(), person.name.clone());
        let known = self.polls.find(&user, &nonce);
        let id = match known {
            Some(id) => id,
            None => {
                self.may_act(&client.participant, now)?;
                let poll = Poll {
                    id: PollId::default(),
                    nonce: nonce.clone(),
                    user,
                    name,
                    draft,
                    created_at: now,
                    state: State::Open,
                };
                let poll = self.polls.create(poll)?;
                self.audit_all(client, Deed::PollCreated { poll: poll.id }, now, out);
                self.keep_poll(poll, now, out)
            }
        };
        out.push(Effect::Send {
            client: client.clone(),
            message: ServerMessage::PollCreated { nonce, poll: id },
        });
        Ok(())
    }

    /// Stores a new poll in the place of the oldest, and tells of it.
    fn keep_poll(&mut self, poll: Poll, now: u64, out: &mut Vec<Effect>) -> PollId {
        let id = poll.id;
        out.push(Effect::Save(Record::Poll(poll)));
        self.tell_poll(id, now, out);
        if let Some((oldest, voters)) = self.polls.forget_oldest() {
            out.push(Effect::Erase(poll_key(oldest)));
            erase(oldest, voters, out);
            self.happen(RoomEvent::PollDeleted { poll: oldest }, None, now, out);
        }
        id
    }

    pub(super) fn votes(
        &mut self,
        client: &Client,
        poll: PollId,
        choices: Vec<u8>,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        self.require(client, Right::Vote)?;
        self.polls.known(poll)?;
        let Some(person) = self.people.get(&client.participant) else {
            return Ok(());
        };
        let ballot = Ballot {
            poll,
            user: person.user.clone(),
            name: person.name.clone(),
            choices: BTreeSet::from_iter(choices),
        };
        self.polls.check_vote(&ballot)?;
        let user = ballot.user.clone();
        if self.polls.is_cast(&ballot) {
            self.tell_votes(&user, Some(client), out);
            return Ok(());
        }
        self.may_act(&client.participant, now)?;
        match self.polls.vote(ballot) {
            Cast::Stored(ballot) => out.push(Effect::Save(Record::Ballot(ballot))),
            Cast::TakenBack => erase(poll, vec![user.clone()], out),
        }
        self.tell_results(poll, now, out);
        self.tell_votes(&user, None, out);
        Ok(())
    }

    pub(super) fn closes_poll(
        &mut self,
        client: &Client,
        poll: PollId,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        self.require(client, Right::HoldPolls)?;
        self.polls.known(poll)?;
        if let Some((closed, forgotten)) = self.polls.close(poll, now) {
            self.audit_all(client, Deed::PollClosed { poll }, now, out);
            out.push(Effect::Save(Record::Poll(closed)));
            erase(poll, forgotten, out);
            self.tell_poll(poll, now, out);
        }
        Ok(())
    }

    pub(super) fn deletes_poll(
        &mut self,
        client: &Client,
        poll: PollId,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        self.require(client, Right::HoldPolls)?;
        self.polls.known(poll)?;
        if let Some((left, forgotten)) = self.polls.delete(poll) {
            self.audit_all(client, Deed::PollDeleted { poll }, now, out);
            out.push(Effect::Save(Record::Poll(left)));
            erase(poll, forgotten, out);
            self.happen(RoomEvent::PollDeleted { poll }, None, now, out);
        }
        Ok(())
    }

    pub(super) fn shows_votes(
        &mut self,
        client: &Client,
        poll: PollId,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        self.polls.known(poll)?;
        let votes = self.polls.votes_in(poll)?;
        self.may_act(&client.participant, now)?;
        out.push(Effect::Send {
            client: client.clone(),
            message: ServerMessage::PollVotes { poll, votes },
        });
        Ok(())
    }

    /// What was a guest's is this account's: still one vote in each poll.
    pub(super) fn polls_go_over(
        &mut self,
        guest: &UserId,
        account: &UserId,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        let inherited = self.polls.inherit(guest, account);
        out.extend(
            inherited
                .polls
                .into_iter()
                .map(Record::Poll)
                .map(Effect::Save),
        );
        let moved: Vec<PollId> = inherited.ballots.iter().map(|ballot| ballot.poll).collect();
        let ballots = inherited.ballots.into_iter();
        out.extend(ballots.map(Record::Ballot).map(Effect::Save));
        for poll in inherited.left {
            erase(poll, vec![guest.clone()], out);
            if !moved.contains(&poll) {
                self.tell_results(poll, now, out);
            }
        }
        self.tell_votes(account, None, out);
    }

    fn tell_results(&mut self, poll: PollId, now: u64, out: &mut Vec<Effect>) {
        if let Some(view) = self.polls.view(poll) {
            let results = view.results;
            self.happen(RoomEvent::PollResults { poll, results }, None, now, out);
        }
    }

    /// Tells a user, on one of their clients or on all, what they have chosen. Where there are no polls, there is nothing to tell.
    pub(super) fn tell_votes(&self, user: &UserId, client: Option<&Client>, out: &mut Vec<Effect>) {
        if self.polls.is_empty() {
            return;
        }
        let here = self.people.values().filter(|person| person.is_here());
        let all = here.filter(|person| person.user == *user);
        let clients = match client {
            Some(client) => vec![client.clone()],
            None => all.map(|person| person.client()).collect(),
        };
        out.extend(clients.into_iter().map(|client| Effect::Send {
            client,
            message: ServerMessage::OwnVotes {
                votes: self.polls.votes_of(user),
            },
        }));
    }

    fn tell_poll(&mut self, id: PollId, now: u64, out: &mut Vec<Effect>) {
        if let Some(poll) = self.polls.view(id) {
            self.happen(RoomEvent::Poll { poll }, None, now, out);
        }
    }
}

fn erase(poll: PollId, voters: Vec<UserId>, out: &mut Vec<Effect>) {
    let keys = voters.iter().map(|user| ballot_key(poll, user));
    out.extend(keys.map(Effect::Erase));
}
