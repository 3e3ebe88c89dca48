//! What the directory is told of the room, until it has it: what counts is the latest, so what is kept is that it is owed.

use protocol::id::RoomId;
use serde::{Deserialize, Serialize};

use super::record::Record;
use super::{Effect, Room};
use crate::directory::Entry;
use crate::table::{Table, integer};

/// There is one report at most.
pub(super) const OWED: Table = Table {
    name: "owed",
    tag: "Owed",
    since: 1,
    columns: &[integer("tries"), integer("at")],
    indexes: &[],
};

/// After how long an unanswered report is repeated, in milliseconds: doubled each time, up to the most.
const FIRST: u64 = 5_000;
const MOST: u64 = 10 * 60_000;

/// How the room is now, for the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    Room(Entry),
    Gone(RoomId),
}

/// That the directory has not confirmed the latest report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owed {
    /// How often it was repeated.
    pub tries: u32,
    /// When it is repeated next.
    pub at: u64,
}

impl Owed {
    fn new(tries: u32, now: u64) -> Self {
        let wait = FIRST.saturating_mul(1 << tries.min(20)).min(MOST);
        Self {
            tries,
            at: now + wait,
        }
    }
}

impl Room {
    /// The room has changed for those who look at the directory.
    pub(super) fn report(&mut self, now: u64, out: &mut Vec<Effect>) {
        if self.owed.is_none() {
            self.owe(Owed::new(0, now), out);
        }
        out.push(Effect::Report(self.latest_report()));
    }

    /// The directory has this report, or has answered nothing.
    pub(super) fn reported(&mut self, taken: Option<Report>, out: &mut Vec<Effect>) {
        if taken != Some(self.latest_report()) {
            // It is repeated when its time has come; or a later one is on its way already.
            return;
        }
        if self.owed.take().is_some() {
            out.push(Effect::Erase(OWED.key([])));
        }
        self.vanish_once_told(out);
    }

    /// A room that was deleted is no more once all who have to know know.
    pub(super) fn vanish_once_told(&self, out: &mut Vec<Effect>) {
        let is_told = self.owed.is_none() && self.outbox.is_empty();
        if self.info.gone && !self.info.retired && is_told {
            out.push(Effect::Vanish);
        }
    }

    pub(super) fn repeat_report(&mut self, now: u64, out: &mut Vec<Effect>) {
        if let Some(Owed { tries, at }) = self.owed
            && at <= now
        {
            self.owe(Owed::new(tries + 1, now), out);
            out.push(Effect::Report(self.latest_report()));
        }
    }

    fn owe(&mut self, owed: Owed, out: &mut Vec<Effect>) {
        self.owed = Some(owed);
        out.push(Effect::Save(Record::Owed(owed)));
    }

    /// How the room stands in the directory.
    pub(super) fn entry(&self) -> Entry {
        let settings = &self.info.settings;
        Entry {
            room: self.view(),
            listed: settings.listed,
            locked: settings.locked,
            password: settings.has_password,
        }
    }

    fn latest_report(&self) -> Report {
        if self.info.gone {
            Report::Gone(self.info.id.clone())
        } else {
            Report::Room(self.entry())
        }
    }
}
