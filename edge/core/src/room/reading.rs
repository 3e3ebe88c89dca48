//! Read marks: up to where an account has read the chat, on whichever device. They are nobody else's business.

use protocol::client::ServerMessage;
use protocol::id::UserId;
use serde::{Deserialize, Serialize};

use super::record::Record;
use super::{Client, Effect, Room};
use crate::refusal::Refusal;
use crate::table::{Key, Table, integer, text};

/// How many marks a room keeps: as many as people come to a large event. Who has not read for longest is forgotten.
pub(super) const MARKS: usize = 1_000;

pub(super) const READS: Table = Table {
    name: "reads",
    tag: "Read",
    since: 1,
    columns: &[text("user").key(), integer("line"), integer("at")],
    indexes: &[],
};

pub(super) fn read_key(user: &UserId) -> Key {
    READS.key([user.as_str().into()])
}

/// Up to where an account has read the chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read {
    pub user: UserId,
    /// The number of the line.
    pub line: u64,
    /// When that was told.
    pub at: u64,
}

impl Room {
    pub(super) fn reads(
        &mut self,
        client: &Client,
        id: &str,
        now: u64,
        out: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let line = self.number(id)?;
        let person = self.people.get(&client.participant);
        let Some(user) = person.filter(|person| !person.guest) else {
            return Ok(());
        };
        let user = user.user.clone();
        if self.read.get(&user).is_some_and(|read| read.line >= line) {
            return Ok(());
        }
        self.may_act(&client.participant, now)?;
        self.forget_mark_for(&user, out);
        let read = Read {
            user: user.clone(),
            line,
            at: now,
        };
        self.read.insert(user.clone(), read.clone());
        out.push(Effect::Save(Record::Read(read)));
        for other in self.clients_of(&user).filter(|other| other != client) {
            self.tell_read(&user, &other, out);
        }
        Ok(())
    }

    /// Tells one of a user's clients up to where they have read, if that is known.
    pub(super) fn tell_read(&self, user: &UserId, client: &Client, out: &mut Vec<Effect>) {
        if let Some(read) = self.read.get(user) {
            let id = read.line.to_string();
            out.push(Effect::Send {
                client: client.clone(),
                message: ServerMessage::ChatRead { id },
            });
        }
    }

    /// Makes a place for the mark of somebody who has none yet.
    fn forget_mark_for(&mut self, user: &UserId, out: &mut Vec<Effect>) {
        if self.read.contains_key(user) || self.read.len() < MARKS {
            return;
        }
        let oldest = self.read.values().min_by_key(|read| read.at);
        if let Some(oldest) = oldest.map(|read| read.user.clone()) {
            self.read.remove(&oldest);
            out.push(Effect::Erase(read_key(&oldest)));
        }
    }

    fn clients_of(&self, user: &UserId) -> impl Iterator<Item = Client> {
        let here = self.people.values().filter(|person| person.is_here());
        let theirs: Vec<Client> = here
            .filter(|person| person.user == *user)
            .map(|person| person.client())
            .collect();
        theirs.into_iter()
    }
}
