//! All timers of a shard in one table.

use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

use crate::key::{MemberKey, RoomKey, SessionKey};

/// What a timer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Timer {
    /// A session's ICE, DTLS, SCTP and feedback.
    Session(SessionKey),
    /// A room's speakers, keyframe retries, repairs and reports.
    Room(RoomKey),
    /// The rest of what a subscriber's pacing holds back.
    Subscriber(RoomKey, MemberKey),
}

/// When each timer is due.
#[derive(Debug, Default)]
pub struct Timers {
    queue: BTreeSet<(Instant, Timer)>,
    due: HashMap<Timer, Instant>,
}

impl Timers {
    /// Sets a timer, whatever it was set to before.
    pub fn set(&mut self, timer: Timer, at: Instant) {
        if let Some(before) = self.due.insert(timer, at) {
            if before == at {
                return;
            }
            self.queue.remove(&(before, timer));
        }
        self.queue.insert((at, timer));
    }

    /// Sets a timer unless it is due earlier anyway.
    pub fn lower(&mut self, timer: Timer, at: Instant) {
        if self.due.get(&timer).is_none_or(|due| *due > at) {
            self.set(timer, at);
        }
    }

    /// Stops a timer.
    pub fn clear(&mut self, timer: Timer) {
        if let Some(before) = self.due.remove(&timer) {
            self.queue.remove(&(before, timer));
        }
    }

    /// Takes the next timer that is due.
    pub fn pop(&mut self, now: Instant) -> Option<Timer> {
        let (at, timer) = *self.queue.first()?;
        if at > now {
            return None;
        }
        self.clear(timer);
        Some(timer)
    }

    /// When the next timer is due.
    pub fn next(&self) -> Option<Instant> {
        self.queue.first().map(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn timers_come_in_the_order_of_their_times() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut timers = Timers::default();
        timers.set(Timer::Session(1.into()), at(20));
        timers.set(Timer::Room(1.into()), at(10));
        timers.set(Timer::Session(1.into()), at(5));
        timers.lower(Timer::Room(1.into()), at(30));
        assert_eq!(timers.next(), Some(at(5)));
        assert_eq!(timers.pop(at(4)), None);
        assert_eq!(timers.pop(at(10)), Some(Timer::Session(1.into())));
        assert_eq!(timers.pop(at(10)), Some(Timer::Room(1.into())));
        assert_eq!(timers.pop(at(99)), None);
    }
}
