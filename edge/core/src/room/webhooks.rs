//! What programs of the room's owner are told of it: who came and went, that it began and ended, what was written. It is stored
//! with what it tells, and kept until the owner's object for developers has taken it. Whether anybody wants it is not asked each
//! time, but remembered for a while.

use protocol::client::{ChatMessage, LeaveReason};
use protocol::developer::{
    EventKind, WebhookData, WebhookMessage, WebhookParticipant, WebhookRoom,
};
use protocol::id::ParticipantId;
use serde::{Deserialize, Serialize};

use super::people::Person;
use super::record::Record;
use super::{Effect, Room};
use crate::developer::webhooks::{Happened, id_of};
use crate::order::Ordered;
use crate::table::{Key, Table, integer, json, text};

/// For how long it is known what the owner wants to be told, in milliseconds.
const KNOWN_FOR: u64 = 60_000;
/// How much is kept that was not taken. It is taken within a moment, unless there is a fault.
pub(super) const MOST: usize = 1_000;
/// How much is told at once.
const AT_ONCE: usize = 50;
/// After how long what was not taken is told again, in milliseconds: as long as its oldest waits already, within these bounds. So the
/// wait doubles each time, and a restart, which an object has each time it slept, does not begin it anew.
const FIRST: u64 = 2_000;
const LONGEST: u64 = 2 * 3_600_000;
/// After how long it is given up, in milliseconds. For so long a delivery is tried as well.
pub(super) const GIVEN_UP_AFTER: u64 = 24 * 3_600_000;

/// What was not taken yet.
pub(super) const OUTBOX: Table = Table {
    name: "outbox",
    tag: "Untold",
    since: 2,
    columns: &[
        integer("seq").key(),
        integer("part").key(),
        text("event"),
        integer("at"),
        text("body"),
    ],
    indexes: &[],
};

/// What the owner wants to be told. There is one row at most.
pub(super) const WANTED: Table = Table {
    name: "wanted",
    tag: "Wanted",
    since: 2,
    columns: &[json("events"), integer("at")],
    indexes: &[],
};

/// Something that is to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Untold {
    /// The number of the event in the room's log, and what it is of all that is told of that.
    pub seq: u64,
    pub part: u32,
    pub event: EventKind,
    pub at: u64,
    pub body: String,
}

/// What the owner wanted to be told when they were asked last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    pub events: Vec<EventKind>,
    pub at: u64,
}

/// What is to be told, and how that goes.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// The oldest first.
    untold: Vec<Untold>,
    wanted: Option<Wanted>,
    /// How many are being told just now.
    under_way: usize,
    /// When it is told again, if that has failed.
    due: u64,
}

impl Outbox {
    pub fn restore(mut untold: Vec<Untold>, wanted: Option<Wanted>) -> Self {
        untold.order_by_key(|untold| (untold.seq, untold.part));
        Self {
            untold,
            wanted,
            ..Self::default()
        }
    }

    pub fn is_empty(&self) -> bool {
        self.untold.is_empty()
    }

    /// When it is to be told, unless it is just now.
    pub fn due(&self) -> Option<u64> {
        let waits = self.under_way == 0 && !self.is_empty();
        waits.then_some(self.due)
    }

    /// What outlives a restart.
    #[cfg(test)]
    pub fn lasting(&self) -> (Vec<Untold>, Option<Wanted>) {
        (self.untold.clone(), self.wanted.clone())
    }

    fn may_be_wanted(&self, event: EventKind, now: u64) -> bool {
        let known = self.wanted.as_ref();
        let known = known.filter(|wanted| now < wanted.at + KNOWN_FOR);
        known.is_none_or(|wanted| wanted.events.contains(&event))
    }
}

fn key(untold: &Untold) -> Key {
    OUTBOX.key([untold.seq.into(), untold.part.into()])
}

impl Room {
    /// Somebody came: just now, as the latest event.
    pub(super) fn tell_of_coming(
        &mut self,
        id: &ParticipantId,
        is_first: bool,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        let seq = self.log.seq();
        if is_first {
            let data = self.about();
            self.will_tell((seq, 0), EventKind::RoomStarted, data, now, out);
        }
        let data = WebhookData {
            participant: self.people.get(id).map(told_of),
            ..self.about()
        };
        self.will_tell((seq, 1), EventKind::ParticipantJoined, data, now, out);
    }

    /// Somebody who was in the room has left it: just now, as the latest event.
    pub(super) fn tell_of_leaving(
        &mut self,
        person: &Person,
        reason: LeaveReason,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        let seq = self.log.seq();
        self.tell_left((seq, 0), person, reason, now, out);
        if !self.people.values().any(Person::is_in) {
            let data = self.about();
            self.will_tell((seq, 1), EventKind::RoomEnded, data, now, out);
        }
    }

    fn tell_left(
        &mut self,
        number: (u64, u32),
        person: &Person,
        reason: LeaveReason,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        let data = WebhookData {
            participant: Some(told_of(person)),
            reason: Some(reason),
            ..self.about()
        };
        self.will_tell(number, EventKind::ParticipantLeft, data, now, out);
    }

    /// All leave at once, since the room is no more.
    pub(super) fn tell_of_end(&mut self, now: u64, out: &mut Vec<Effect>) {
        let seq = self.log.seq() + 1;
        let people = self.people.values().filter(|person| person.is_in());
        let people: Vec<Person> = people.cloned().collect();
        if people.is_empty() {
            return;
        }
        for (person, part) in people.iter().zip(1..) {
            self.tell_left((seq, part), person, LeaveReason::RoomClosed, now, out);
        }
        let data = self.about();
        let last = people.len() as u32 + 1;
        self.will_tell((seq, last), EventKind::RoomEnded, data, now, out);
    }

    /// Somebody has written something, just now, as the latest event. What is for one alone is told to nobody else.
    pub(super) fn tell_of_line(&mut self, message: ChatMessage, now: u64, out: &mut Vec<Effect>) {
        if message.to.is_some() {
            return;
        }
        let seq = self.log.seq();
        let data = WebhookData {
            message: Some(message),
            ..self.about()
        };
        self.will_tell((seq, 0), EventKind::ChatMessage, data, now, out);
    }

    fn about(&self) -> WebhookData {
        WebhookData {
            room: Some(WebhookRoom {
                id: self.info.id.clone(),
                name: self.info.name.clone(),
            }),
            ..WebhookData::default()
        }
    }

    fn will_tell(
        &mut self,
        (seq, part): (u64, u32),
        event: EventKind,
        data: WebhookData,
        at: u64,
        out: &mut Vec<Effect>,
    ) {
        if !self.outbox.may_be_wanted(event, at) || self.outbox.untold.len() >= MOST {
            return;
        }
        let message = WebhookMessage {
            kind: event,
            timestamp: at,
            data,
        };
        let Ok(body) = serde_json::to_string(&message) else {
            return;
        };
        let untold = Untold {
            seq,
            part,
            event,
            at,
            body,
        };
        out.push(Effect::Save(Record::Untold(untold.clone())));
        self.outbox.untold.push(untold);
    }

    /// What stays of it when all else is forgotten.
    pub(super) fn keep_untold(&self, out: &mut Vec<Effect>) {
        let untold = self.outbox.untold.iter().cloned();
        out.extend(untold.map(|untold| Effect::Save(Record::Untold(untold))));
    }

    /// Tells what is to be told, if its time has come.
    pub(super) fn tell_developer(&mut self, now: u64, out: &mut Vec<Effect>) {
        if self.outbox.due().is_none_or(|due| due > now) {
            return;
        }
        let first = self.outbox.untold.iter().take(AT_ONCE);
        let happened: Vec<Happened> = first
            .map(|untold| Happened {
                id: id_of(&self.info.id, untold.seq, untold.part),
                event: untold.event,
                at: untold.at,
                body: untold.body.clone(),
            })
            .collect();
        self.outbox.under_way = happened.len();
        out.push(Effect::TellDeveloper {
            owner: self.info.owner.clone(),
            happened,
        });
    }

    /// It was taken, and it is known what is wanted from now on; or there was no answer.
    pub(super) fn told_developer(
        &mut self,
        wanted: Option<Vec<EventKind>>,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        let told = std::mem::take(&mut self.outbox.under_way);
        let Some(events) = wanted else {
            self.tell_later(now, out);
            return;
        };
        self.forget_untold(told, out);
        self.outbox.due = 0;
        if !self.info.gone {
            let wanted = Wanted { events, at: now };
            out.push(Effect::Save(Record::Wanted(wanted.clone())));
            self.outbox.wanted = Some(wanted);
        }
        self.vanish_once_told(out);
    }

    /// There was no answer. What waits for one for too long is given up: a room does not ask for ever.
    fn tell_later(&mut self, now: u64, out: &mut Vec<Effect>) {
        let untold = &self.outbox.untold;
        let late = untold.partition_point(|untold| untold.at + GIVEN_UP_AFTER <= now);
        if late > 0 {
            self.forget_untold(late, out);
            out.push(Effect::GaveUpTelling { count: late as u64 });
            self.vanish_once_told(out);
        }
        if let Some(oldest) = self.outbox.untold.first() {
            let wait = now.saturating_sub(oldest.at).clamp(FIRST, LONGEST);
            self.outbox.due = (now + wait)
                .min(oldest.at + GIVEN_UP_AFTER)
                .max(now + FIRST);
        }
    }

    fn forget_untold(&mut self, count: usize, out: &mut Vec<Effect>) {
        let gone = self.outbox.untold.drain(..count);
        out.extend(gone.map(|untold| Effect::Erase(key(&untold))));
    }
}

fn told_of(person: &Person) -> WebhookParticipant {
    WebhookParticipant {
        id: person.id.clone(),
        user: person.user.clone(),
        name: person.name.clone(),
        role: person.role,
        guest: person.guest,
        joined_at: person.joined_at,
    }
}
