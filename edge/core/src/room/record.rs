//! What a room stores: one record for each thing that changes by itself, each kind in a table of its own.

use protocol::id::PollId;
use serde::{Deserialize, Serialize};

use super::breakouts::BREAKOUTS;
use super::info::{INFO, Info};
use super::lobby::{WAITING, Waiting};
use super::log::{EVENTS, LoggedEvent};
use super::moving::{MOVED, Moved};
use super::nodes::{NODES, Placed};
use super::people::{PEOPLE, Person};
use super::polls::{BALLOTS, POLLS};
use super::reading::{READS, Read};
use super::report::{OWED, Owed};
use super::rulings::{RULINGS, Ruling};
use super::webhooks::{OUTBOX, Untold, WANTED, Wanted};
use crate::breakouts::Breakouts;
use crate::chat::Line;
use crate::poll::{Ballot, Poll};
use crate::table::Table;

/// Everything that a room has stored.
#[derive(Debug, Clone, Default)]
pub struct Stored {
    /// In the order of their keys.
    pub records: Vec<Record>,
    /// The table and the key of what cannot be read: it is of another release, or broken.
    pub unreadable: Vec<(String, String)>,
    /// The latest lines of chat, the oldest first.
    pub lines: Vec<Line>,
    /// The number of the latest line, 0 before the first.
    pub latest_line: u64,
}

impl Stored {
    /// The numbers of the events that cannot be read.
    pub(super) fn unreadable_events(&self) -> Vec<u64> {
        self.unreadable_numbers(&EVENTS).collect()
    }

    /// The polls that cannot be read.
    pub(super) fn unreadable_polls(&self) -> Vec<PollId> {
        let numbers = self.unreadable_numbers(&POLLS);
        let ids = numbers.filter_map(|number| number.try_into().ok());
        ids.map(PollId).collect()
    }

    fn unreadable_numbers(&self, of: &'static Table) -> impl Iterator<Item = u64> {
        let unreadable = self.unreadable.iter();
        let names = unreadable.filter(move |(table, _)| table == of.name);
        names.filter_map(|(_, name)| name.parse().ok())
    }
}

/// A stored record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Record {
    Info(Info),
    Person(Person),
    /// Stored as `Host`, from when that was its name.
    #[serde(rename = "Host")]
    Placed(Placed),
    Ruling(Ruling),
    Moved(Moved),
    Waiting(Waiting),
    Event(LoggedEvent),
    Owed(Owed),
    Poll(Poll),
    Ballot(Ballot),
    Read(Read),
    Breakouts(Breakouts),
    Untold(Untold),
    Wanted(Wanted),
}

/// The tables of the records.
pub const TABLES: &[&Table] = &[
    &INFO, &PEOPLE, &NODES, &RULINGS, &MOVED, &WAITING, &EVENTS, &OWED, &POLLS, &BALLOTS, &READS,
    &BREAKOUTS, &OUTBOX, &WANTED,
];

impl Record {
    /// Where it is stored.
    pub fn table(&self) -> &'static Table {
        match self {
            Record::Info(_) => &INFO,
            Record::Person(_) => &PEOPLE,
            Record::Placed(_) => &NODES,
            Record::Ruling(_) => &RULINGS,
            Record::Moved(_) => &MOVED,
            Record::Waiting(_) => &WAITING,
            Record::Event(_) => &EVENTS,
            Record::Owed(_) => &OWED,
            Record::Poll(_) => &POLLS,
            Record::Ballot(_) => &BALLOTS,
            Record::Read(_) => &READS,
            Record::Breakouts(_) => &BREAKOUTS,
            Record::Untold(_) => &OUTBOX,
            Record::Wanted(_) => &WANTED,
        }
    }
}
