//! Timers of a kind in one table: what is due is found without a look at the rest.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::time::Instant;

/// When each timer is due. Those of one moment come in their own order.
#[derive(Debug)]
pub struct Timers<T> {
    queue: BTreeSet<(Instant, T)>,
    due: HashMap<T, Instant>,
}

impl<T> Default for Timers<T> {
    fn default() -> Self {
        Self {
            queue: BTreeSet::new(),
            due: HashMap::new(),
        }
    }
}

impl<T: Copy + Ord + Hash> Timers<T> {
    /// Sets a timer, whatever it was set to before.
    pub fn set(&mut self, timer: T, at: Instant) {
        if let Some(before) = self.due.insert(timer, at) {
            if before == at {
                return;
            }
            self.queue.remove(&(before, timer));
        }
        self.queue.insert((at, timer));
    }

    /// Sets a timer unless it is due earlier anyway.
    pub fn lower(&mut self, timer: T, at: Instant) {
        if self.due.get(&timer).is_none_or(|due| *due > at) {
            self.set(timer, at);
        }
    }

    /// Stops a timer.
    pub fn clear(&mut self, timer: T) {
        if let Some(before) = self.due.remove(&timer) {
            self.queue.remove(&(before, timer));
        }
    }

    /// Takes the next timer that is due.
    pub fn pop(&mut self, now: Instant) -> Option<T> {
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
        timers.set('b', at(20));
        timers.set('a', at(10));
        timers.set('b', at(5));
        timers.lower('a', at(30));
        timers.set('c', at(7));
        timers.clear('c');
        assert_eq!(timers.next(), Some(at(5)));
        assert_eq!(timers.pop(at(4)), None);
        assert_eq!(timers.pop(at(10)), Some('b'));
        assert_eq!(timers.pop(at(10)), Some('a'));
        assert_eq!(timers.pop(at(99)), None);
    }
}
