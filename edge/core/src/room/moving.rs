//! Moving a call: it goes on at one page or device of a user, and ends at the others; at those, too, that sleep meanwhile.

use protocol::client::{CloseReason, Connection, LeaveReason, ServerMessage};
use protocol::id::{ParticipantId, UserId};
use serde::{Deserialize, Serialize};

use super::people::{Passes, Person};
use super::record::Record;
use super::{Client, Effect, Pass, Room};
use crate::table::{Key, Table, integer, json, text};
use crate::token::REFRESH_SECONDS;

/// How many of the latest are remembered; the oldest is forgotten first.
pub(super) const MAX_MOVED: usize = 256;
/// How long they are remembered, in milliseconds: who sleeps longer is signed in no more, and comes back by no pass.
const REMEMBERED: u64 = REFRESH_SECONDS * 1_000;

pub(super) const MOVED: Table = Table {
    name: "moved",
    tag: "Moved",
    since: 1,
    columns: &[
        text("participant").inside("client").key(),
        integer("connection").inside("client"),
        json("passes"),
        integer("until"),
    ],
    indexes: &[],
};

fn moved_key(id: &ParticipantId) -> Key {
    MOVED.key([id.as_str().into()])
}

/// Somebody whose call goes on elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Moved {
    /// Their latest WebSocket.
    pub client: Client,
    /// What they may show when they come back.
    pub passes: Passes,
    /// Until when they are remembered.
    pub until: u64,
}

impl Room {
    /// Everything else that this participant's user has in the room ends. A ticket is not in the room yet.
    pub(super) fn moves_here(&mut self, id: &ParticipantId, now: u64, out: &mut Vec<Effect>) {
        let Some(person) = self.people.get(id) else {
            return;
        };
        let user = person.user.clone();
        let others: Vec<ParticipantId> = self
            .presences_of(&user)
            .map(|person| person.id.clone())
            .filter(|other| other != id)
            .collect();
        for other in others {
            self.remember_moved(&other, now, out);
            self.ends_for(&other, CloseReason::Moved, LeaveReason::Moved, now, out);
        }
    }

    /// Their client may not hear of it now: it is told when it dials again.
    fn remember_moved(&mut self, id: &ParticipantId, now: u64, out: &mut Vec<Effect>) {
        let Some((person, passes)) = self
            .people
            .get(id)
            .and_then(|person| Some((person, person.presence.passes()?)))
        else {
            return;
        };
        let moved = Moved {
            client: person.client(),
            passes: passes.clone(),
            until: now + REMEMBERED,
        };
        out.push(Effect::Save(Record::Moved(moved.clone())));
        self.moved.push(moved);
        let expired = self.moved.iter().filter(|moved| moved.until <= now);
        let forgotten = expired
            .count()
            .max(self.moved.len().saturating_sub(MAX_MOVED));
        let forgotten = self.moved.drain(..forgotten);
        out.extend(forgotten.map(|moved| Effect::Erase(moved_key(&moved.client.participant))));
    }

    /// Who showed this pass, if their call has moved.
    pub(super) fn moved_with(&self, pass: &Pass, now: u64) -> Option<Client> {
        let fits = |moved: &&Moved| now < moved.until && moved.passes.admit(pass, now);
        let Moved { client, .. } = self.moved.iter().find(fits)?;
        Some(Client {
            participant: client.participant.clone(),
            connection: client.connection + 1,
        })
    }

    /// A WebSocket of somebody who is not in the room was opened.
    pub(super) fn turns_away(&self, client: Client, out: &mut Vec<Effect>) {
        let moved = |moved: &Moved| moved.client.participant == client.participant;
        if self.moved.iter().any(moved) {
            out.push(Effect::Send {
                client: client.clone(),
                message: ServerMessage::Closed {
                    reason: CloseReason::Moved,
                },
            });
        }
        out.push(Effect::HangUp { client });
    }

    /// As how many participants a user is in the room now. One of whom nothing is heard may be what a crash has left.
    pub(super) fn heard_of(&self, user: &UserId) -> usize {
        self.presences_of(user)
            .filter(|person| person.told != Connection::Reconnecting)
            .count()
    }

    /// What a user has in the room for others to see.
    pub(super) fn presences_of(&self, user: &UserId) -> impl Iterator<Item = &Person> {
        let people = self.people.values();
        people.filter(move |person| person.user == *user && person.is_in())
    }
}
