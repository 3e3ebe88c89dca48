//! Which shards report, and which have fallen silent.
//!
//! Silence is counted in the node's own looks: a process that is stopped as a whole, or a machine that sleeps, looks as
//! little as its shards report.

use std::time::Duration;

/// How often the node looks. A shard reports as often.
pub const LOOK: Duration = Duration::from_secs(1);
/// A shard that has not reported for so many looks hangs. A busy one turns many times a second, and a machine without a core
/// to spare lets none wait for seconds; clients have gone elsewhere by themselves by then, and only those who were quiet
/// are left.
const MOST_MISSED: u32 = 5;

/// What is known of each shard.
#[derive(Debug)]
pub struct Vitals(Vec<Pulse>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pulse {
    /// So many looks without a report.
    Missed(u32),
    /// It did not take a message: whatever it does from now on is not what it was told.
    Overrun,
    /// It has ended, or was given up: for good.
    Lost,
}

impl Vitals {
    /// So many shards that have just started.
    pub fn new(shards: usize) -> Self {
        Self(vec![Pulse::Missed(0); shards])
    }

    /// A shard has reported.
    pub fn reported(&mut self, shard: usize) {
        if let Some(Pulse::Missed(missed)) = self.0.get_mut(shard) {
            *missed = 0;
        }
    }

    /// A shard takes no messages any more: the next look finds that it hangs.
    pub fn overrun(&mut self, shard: usize) {
        if let Some(pulse @ Pulse::Missed(_)) = self.0.get_mut(shard) {
            *pulse = Pulse::Overrun;
        }
    }

    /// Looks; returns those that hang. They are lost when [`lose`](Self::lose) says so.
    pub fn look(&mut self) -> Vec<usize> {
        let mut hang = Vec::new();
        for (shard, pulse) in self.0.iter_mut().enumerate() {
            match pulse {
                Pulse::Missed(missed) if *missed < MOST_MISSED => *missed += 1,
                Pulse::Missed(_) | Pulse::Overrun => hang.push(shard),
                Pulse::Lost => {}
            }
        }
        hang
    }

    /// A shard is lost.
    pub fn lose(&mut self, shard: usize) {
        if let Some(pulse) = self.0.get_mut(shard) {
            *pulse = Pulse::Lost;
        }
    }

    pub fn is_lost(&self, shard: usize) -> bool {
        self.0.get(shard) == Some(&Pulse::Lost)
    }

    /// One that is lost, if any is.
    pub fn lost(&self) -> Option<usize> {
        self.0.iter().position(|pulse| *pulse == Pulse::Lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_report_hangs_after_five_looks() {
        let mut vitals = Vitals::new(2);
        for _ in 0..MOST_MISSED {
            vitals.reported(1);
            assert!(vitals.look().is_empty());
        }
        vitals.reported(1);
        assert_eq!(vitals.look(), [0]);
        vitals.lose(0);
        // A late word changes nothing.
        vitals.reported(0);
        assert!(vitals.is_lost(0) && vitals.look().is_empty());
        assert_eq!((vitals.lost(), vitals.is_lost(1)), (Some(0), false));
    }

    #[test]
    fn who_takes_no_messages_hangs_at_the_next_look() {
        let mut vitals = Vitals::new(2);
        vitals.overrun(1);
        // A report does not bring back what it was not told.
        vitals.reported(1);
        assert_eq!(vitals.look(), [1]);
    }
}
