//! The event log: what happened lately, for whoever reconnects.

use std::collections::VecDeque;

use protocol::client::{RoomEvent, ServerMessage};
use protocol::id::UserId;
use serde::{Deserialize, Serialize};

use crate::breakouts::Subroom;
use crate::chat::Reader;
use crate::table::{Key, Table, integer, json};

/// How many events are kept, and for how long (milliseconds). The latest is always kept: it holds the count.
const MAX_EVENTS: usize = 1_000;
const MAX_AGE: u64 = 10 * 60 * 1000;

pub(super) const EVENTS: Table = Table {
    name: "events",
    tag: "Event",
    since: 1,
    columns: &[
        integer("seq").key(),
        integer("at"),
        json("event"),
        json("between").optional(),
        json("place").optional(),
    ],
    indexes: &[],
};

pub(super) fn event_key(seq: u64) -> Key {
    EVENTS.key([seq.into()])
}

/// An event that can be replayed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoggedEvent {
    pub seq: u64,
    pub at: u64,
    pub event: RoomEvent,
    /// The two users whom it is told; absent where it is told everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub between: Option<[UserId; 2]>,
    /// Where one has to be to be told it; absent where it is told everywhere. Stored as `place`, from when that was its name.
    #[serde(rename = "place", default, skip_serializing_if = "Option::is_none")]
    pub subroom: Option<Subroom>,
}

/// Whom an event is told. The others are told that something was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hearers {
    All,
    Both([UserId; 2]),
    /// Those who are there now, and when it is replayed those who are there then.
    In(Subroom),
}

impl LoggedEvent {
    /// What is told of it to who is there.
    pub fn seen_by(&self, reader: &Reader) -> ServerMessage {
        let between = self.between.as_ref();
        let hidden = between.is_some_and(|both| !both.contains(&reader.user))
            || self
                .subroom
                .is_some_and(|subroom| subroom != reader.subroom);
        let event = match hidden {
            true => RoomEvent::Unseen,
            false => self.event.clone(),
        };
        ServerMessage::Event {
            seq: self.seq,
            event,
        }
    }
}

/// The latest events of a room, without a gap.
#[derive(Debug, Default)]
pub struct Log {
    events: VecDeque<LoggedEvent>,
    /// The number of the latest event, even if that one cannot be read.
    latest: u64,
}

impl Log {
    /// Takes up stored events, the oldest first, and the numbers of stored ones that cannot be read. Nobody is told of what
    /// came after such a gap without what stood in it, and its numbers are not given again.
    pub fn restore(events: Vec<LoggedEvent>, unreadable: &[u64]) -> Self {
        let gap = unreadable.iter().copied().max().unwrap_or(0);
        let events: VecDeque<LoggedEvent> =
            events.into_iter().filter(|event| event.seq > gap).collect();
        let latest = events.back().map_or(gap, |event| event.seq);
        Self { events, latest }
    }

    /// The number of the latest event, 0 before the first.
    pub fn seq(&self) -> u64 {
        self.latest
    }

    /// Notes an event; returns it with its number, and the numbers of those that are forgotten.
    pub fn push(
        &mut self,
        event: RoomEvent,
        hearers: Hearers,
        now: u64,
    ) -> (LoggedEvent, Vec<u64>) {
        let (between, subroom) = match hearers {
            Hearers::All => (None, None),
            Hearers::Both(both) => (Some(both), None),
            Hearers::In(subroom) => (None, Some(subroom)),
        };
        let logged = LoggedEvent {
            seq: self.seq() + 1,
            at: now,
            event,
            between,
            subroom,
        };
        self.latest = logged.seq;
        self.events.push_back(logged.clone());
        let mut forgotten = Vec::new();
        while self.events.len() > 1 {
            let Some(oldest) = self.events.front() else {
                break;
            };
            if self.events.len() <= MAX_EVENTS && oldest.at + MAX_AGE > now {
                break;
            }
            forgotten.push(oldest.seq);
            self.events.pop_front();
        }
        (logged, forgotten)
    }

    /// What was told one user is told another from now on. Returns what has changed.
    pub fn inherit(&mut self, from: &UserId, to: &UserId) -> Vec<LoggedEvent> {
        let mut changed = Vec::new();
        for logged in &mut self.events {
            let both = logged.between.iter_mut().flatten();
            let theirs: Vec<&mut UserId> = both.filter(|user| *user == from).collect();
            if theirs.is_empty() {
                continue;
            }
            theirs.into_iter().for_each(|user| user.clone_from(to));
            changed.push(logged.clone());
        }
        changed
    }

    /// Takes the text of a line out of what is replayed. Returns what has changed.
    pub fn redact(&mut self, line: &str) -> Vec<LoggedEvent> {
        let mut changed = Vec::new();
        for logged in &mut self.events {
            match &mut logged.event {
                RoomEvent::Chat { message } if message.id == line => {
                    message.deleted = true;
                    message.text.clear();
                    message.mentions.clear();
                    message.reply_to = None;
                }
                RoomEvent::ChatEdited { id, text, .. } if id == line => text.clear(),
                _ => continue,
            }
            changed.push(logged.clone());
        }
        changed
    }

    /// Every event after this one, or `None` if they are not all known (any more).
    pub fn since(&self, seq: u64) -> Option<Vec<LoggedEvent>> {
        let first = self
            .events
            .front()
            .map_or(self.latest + 1, |event| event.seq);
        (seq + 1 >= first && seq <= self.seq()).then(|| {
            self.events
                .iter()
                .filter(|event| event.seq > seq)
                .cloned()
                .collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use protocol::client::LeaveReason;

    fn left() -> RoomEvent {
        RoomEvent::Left {
            participant: "p".parse().unwrap(),
            reason: LeaveReason::Left,
        }
    }

    #[test]
    fn a_replay_is_whole_or_not_at_all() {
        let mut log = Log::default();
        assert_eq!(log.since(0), Some(vec![]));
        assert_eq!(log.since(1), None);
        for now in 0..3 {
            log.push(left(), Hearers::All, now);
        }
        assert_eq!(log.since(1).unwrap().len(), 2);
        assert_eq!(log.since(3).unwrap().len(), 0);
        assert_eq!(log.since(u64::MAX - 1), None);
        let (logged, forgotten) = log.push(left(), Hearers::All, MAX_AGE + 2);
        assert_eq!((logged.seq, forgotten), (4, vec![1, 2, 3]));
        assert_eq!(log.since(2), None);
        assert_eq!(log.since(3).unwrap().len(), 1);
    }

    #[test]
    fn a_gap_is_neither_replayed_nor_filled() {
        let mut log = Log::default();
        let events: Vec<LoggedEvent> = (0..5)
            .map(|now| log.push(left(), Hearers::All, now).0)
            .collect();
        let without = |lost: &[u64]| {
            let readable = events.iter().filter(|event| !lost.contains(&event.seq));
            Log::restore(readable.cloned().collect(), lost)
        };
        let middle = without(&[2, 3]);
        assert_eq!(middle.seq(), 5);
        assert_eq!(middle.since(2), None);
        assert_eq!(middle.since(3).unwrap().len(), 2);
        let mut last = without(&[5]);
        assert_eq!(
            (last.seq(), last.since(4), last.since(5)),
            (5, None, Some(vec![]))
        );
        assert_eq!(last.push(left(), Hearers::All, 9).0.seq, 6);
        assert_eq!(without(&[]).since(0).unwrap().len(), 5);
    }

    proptest! {
        #[test]
        fn the_log_is_bounded_and_without_gaps(gaps in proptest::collection::vec(0u64..5000, 1..3000)) {
            let mut log = Log::default();
            let mut now = 0;
            for (i, gap) in gaps.iter().enumerate() {
                now += gap;
                log.push(left(), Hearers::All, now);
                prop_assert_eq!(log.seq(), i as u64 + 1);
                prop_assert!(log.events.len() <= MAX_EVENTS);
            }
            let seqs: Vec<u64> = log.events.iter().map(|event| event.seq).collect();
            prop_assert!(seqs.windows(2).all(|pair| pair[1] == pair[0] + 1));
        }
    }
}
