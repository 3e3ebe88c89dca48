//! Passes: what admits a WebSocket, and for how long. A welcome may be lost on its way, so what was shown for it stays good
//! until the client has it.

use protocol::id::ParticipantId;

use super::people::{Former, Passes, Person, Presence};
use super::{Client, Effect, NotAdmitted, Pass, Room};
use crate::secret::is_same;

/// How long a ticket admits, in milliseconds.
pub(super) const TICKET: u64 = 60_000;

impl Room {
    /// Whose pass this is, and as which of their connections it admits them. Whose call has moved is let in to be told so.
    pub fn admit(&self, pass: &Pass, now: u64) -> Result<Client, NotAdmitted> {
        let fits = |person: &&Person| person.presence.admits(pass, now);
        let person = self.people.values().find(fits);
        if let Some(wait) = person.and_then(|person| self.away(&person.id, now)) {
            return Err(NotAdmitted::SentAway { wait });
        }
        let person = person.or_else(|| self.waiting_with(pass, now));
        if person.is_some_and(|person| self.is_once_too_often(person)) {
            return Err(NotAdmitted::TooOften);
        }
        let client = person.map(|person| Client {
            participant: person.id.clone(),
            connection: person.connection + 1,
        });
        client
            .or_else(|| self.moved_with(pass, now))
            .ok_or(match pass {
                Pass::Ticket(_) => NotAdmitted::Ticket,
                Pass::Resume(_) => NotAdmitted::Resume,
            })
    }

    /// A client that says something on a resumed connection has its welcome. A ticket is not taken back for that: with one, a
    /// client may speak before it is welcomed.
    pub(super) fn has_welcome(&mut self, id: &ParticipantId, out: &mut Vec<Effect>) {
        if let Some(person) = self.people.get_mut(id)
            && let Presence::Here { passes, .. } = &mut person.presence
            && matches!(passes.former, Some(Former::Resume { .. }))
        {
            passes.former = None;
            self.save_person(id, out);
        }
    }
}

impl Presence {
    pub(super) fn admits(&self, pass: &Pass, now: u64) -> bool {
        match (self, pass) {
            (Self::Expected { ticket, until, .. }, Pass::Ticket(shown)) => {
                is_same(ticket, shown) && now < *until
            }
            (Self::Expected { .. }, Pass::Resume(_)) => false,
            (Self::Here { passes, .. } | Self::Lost { passes, .. }, _) => passes.admit(pass, now),
        }
    }

    /// What admits the next WebSocket of somebody who was here.
    pub(super) fn passes(&self) -> Option<&Passes> {
        match self {
            Self::Expected { .. } => None,
            Self::Here { passes, .. } | Self::Lost { passes, .. } => Some(passes),
        }
    }

    /// What is good from now on: the token of the new welcome, and what this WebSocket was admitted by. Any other dies.
    pub(super) fn passes_after(&self, pass: Pass, resume: String) -> Passes {
        let former = match (self, pass) {
            (_, Pass::Resume(hash)) => Some(Former::Resume { hash }),
            (Self::Expected { until, .. }, Pass::Ticket(hash)) => Some(Former::Ticket {
                hash,
                until: *until,
            }),
            (Self::Here { passes, .. } | Self::Lost { passes, .. }, Pass::Ticket(_)) => {
                passes.former.clone()
            }
        };
        Passes { resume, former }
    }
}

impl Passes {
    pub(super) fn admit(&self, pass: &Pass, now: u64) -> bool {
        match (pass, &self.former) {
            (Pass::Ticket(shown), Some(Former::Ticket { hash, until })) => {
                is_same(hash, shown) && now < *until
            }
            (Pass::Ticket(_), _) => false,
            (Pass::Resume(shown), Some(Former::Resume { hash })) => {
                is_same(&self.resume, shown) | is_same(hash, shown)
            }
            (Pass::Resume(shown), _) => is_same(&self.resume, shown),
        }
    }
}
