//! What is missing on the receiving side of a hop, and when to ask for it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::store::USEFUL;

/// Notices what is lost on the receiving side of a hop, and says when to ask for it.
#[derive(Debug)]
pub struct LossTracker {
    highest: Option<u64>,
    /// In ascending order.
    missing: VecDeque<Missing>,
    /// The earliest due time, or an earlier one: asked for with each packet, so it is not searched for.
    due: Option<Instant>,
    rtt: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Missing {
    sequence: u64,
    noticed: Instant,
    /// When to ask for it, again or for the first time.
    due: Instant,
    tries: u8,
}

/// How long a packet may come late before it counts as lost. Paths reorder within a burst, and hardly further.
const REORDERING: Duration = Duration::from_millis(5);
/// Shortest time between two questions for one packet, whatever the round trip.
const MIN_RETRY: Duration = Duration::from_millis(20);
/// Who has not got it after so many questions will not get it in time.
const MAX_TRIES: u8 = 8;
/// Missing packets watched at once. A larger gap is an outage: the keyframe that ends it repairs more cheaply.
const MAX_MISSING: u64 = 512;
/// The round-trip time until one is measured: a neighboring continent's.
const INITIAL_RTT: Duration = Duration::from_millis(100);

impl Default for LossTracker {
    fn default() -> Self {
        Self {
            highest: None,
            missing: VecDeque::new(),
            due: None,
            rtt: INITIAL_RTT,
        }
    }
}

impl LossTracker {
    /// A hop on which nothing was received.
    pub fn new() -> Self {
        Self::default()
    }

    /// The hop's round-trip time, which sets the pace of the questions.
    pub fn set_rtt(&mut self, rtt: Duration) {
        self.rtt = rtt;
    }

    /// What is missing is no longer, and the next packet is the first.
    pub fn restart(&mut self) {
        *self = Self {
            rtt: self.rtt,
            ..Self::default()
        };
    }

    /// A packet with this extended sequence number was received.
    pub fn note(&mut self, sequence: u64, now: Instant) {
        let highest = *self.highest.get_or_insert(sequence);
        if sequence <= highest {
            if let Ok(at) = self
                .missing
                .binary_search_by_key(&sequence, |missing| missing.sequence)
            {
                self.missing.remove(at);
            }
            return;
        }
        self.highest = Some(sequence);
        let gap = sequence - highest - 1;
        if gap + self.missing.len() as u64 > MAX_MISSING {
            self.missing.clear();
        }
        if gap > MAX_MISSING {
            return;
        }
        self.missing
            .extend((highest + 1..sequence).map(|sequence| Missing {
                sequence,
                noticed: now,
                due: now + REORDERING,
                tries: 0,
            }));
        if gap > 0 {
            let due = now + REORDERING;
            self.due = Some(self.due.map_or(due, |before| before.min(due)));
        }
    }

    /// The extended sequence numbers to ask for now. Gives up what came too late to be of use.
    pub fn poll(&mut self, now: Instant) -> Vec<u64> {
        let retry = (self.rtt + self.rtt / 4).max(MIN_RETRY);
        let mut ask = Vec::new();
        self.missing.retain_mut(|missing| {
            if now.saturating_duration_since(missing.noticed) >= USEFUL {
                return false;
            }
            if now < missing.due {
                return true;
            }
            if missing.tries == MAX_TRIES {
                return false;
            }
            ask.push(missing.sequence);
            missing.tries += 1;
            missing.due = now + retry;
            true
        });
        self.due = self.missing.iter().map(|missing| missing.due).min();
        ask
    }

    /// When to call [`Self::poll`] next.
    pub fn timeout(&self) -> Option<Instant> {
        self.due.filter(|_| !self.missing.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_lost_packet_is_asked_for_until_it_comes() {
        let start = Instant::now();
        let mut tracker = LossTracker::new();
        tracker.set_rtt(40 * MS);
        assert_eq!(tracker.timeout(), None);
        for sequence in [65_533, 65_535, 65_538] {
            tracker.note(sequence, start);
        }
        assert_eq!(tracker.poll(start), [0; 0]);
        tracker.note(65_536, start + 4 * MS);
        assert_eq!(tracker.timeout(), Some(start + 5 * MS));
        assert_eq!(tracker.poll(start + 5 * MS), [65_534, 65_537]);
        assert_eq!(tracker.poll(start + 6 * MS), [0; 0]);
        tracker.note(65_534, start + 45 * MS);
        assert_eq!(tracker.timeout(), Some(start + 55 * MS));
        assert_eq!(tracker.poll(start + 55 * MS), [65_537]);
        tracker.note(65_537, start + 60 * MS);
        tracker.note(65_537, start + 61 * MS);
        assert_eq!(tracker.timeout(), None);
    }

    #[test]
    fn what_does_not_come_is_given_up() {
        let start = Instant::now();
        let mut tracker = LossTracker::new();
        tracker.set_rtt(MS);
        tracker.note(1, start);
        tracker.note(3, start);
        let asked: usize = (0..1_000)
            .map(|ms| tracker.poll(start + ms * MS).len())
            .sum();
        assert_eq!(asked, usize::from(MAX_TRIES));
        assert_eq!(tracker.timeout(), None);
        // Slow hops give up by age.
        tracker.set_rtt(900 * MS);
        tracker.note(5, start);
        assert_eq!(tracker.poll(start + 999 * MS), [4]);
        assert_eq!(tracker.poll(start + 1_000 * MS), [0; 0]);
        assert_eq!(tracker.timeout(), None);
    }

    #[test]
    fn an_outage_is_not_asked_for() {
        let start = Instant::now();
        let mut tracker = LossTracker::new();
        tracker.note(1, start);
        tracker.note(3, start);
        tracker.note(10_000, start);
        assert_eq!(tracker.timeout(), None);
        tracker.note(10_002, start);
        assert_eq!(tracker.poll(start + 5 * MS), [10_001]);
    }
}
