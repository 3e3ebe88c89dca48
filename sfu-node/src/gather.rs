//! When a shard waits for more input: on a busy one, a turn for many datagrams costs far less than a turn for each.
//!
//! A turn has a fixed price (waking up, one system call per subscriber, cold caches), and two packets of one publisher
//! for one subscriber leave as one message if they are in the same turn. So turns of a busy shard start at a fixed pace.
//! A packet then waits for half of that on average, and never for longer than it. An idle shard reacts at once: there
//! the processor has time, and only the delay counts.

use std::time::{Duration, Instant};

/// From one turn's start to the next on a busy shard. It is the most that a packet waits.
const PACE: Duration = Duration::from_millis(3);
/// The same on a shard that shares rooms with other nodes: a packet that passes two of them waits at each.
const SHARED_PACE: Duration = Duration::from_millis(2);
/// Datagrams per second, in and out, from which on a shard is busy: a room of about five who all send. At this rate a
/// shard that does not wait spends some 3% of its core.
const BUSY: f64 = 3_000.0;
/// The rate under which it is no longer busy.
const CALM: f64 = 1_500.0;
/// The rate is measured over this time.
const WINDOW: Duration = Duration::from_millis(100);
/// So many received datagrams may wait for a turn: well below what a socket buffer holds, however little the kernel
/// granted.
const MAX_WAITING: f64 = 64.0;

/// Decides about the pace of a shard's turns.
#[derive(Debug)]
pub struct Gather {
    turn: Instant,
    window: Instant,
    /// Datagrams in and out when the window began.
    counted: (u64, u64),
    /// From turn to turn; `None` while the shard is not busy.
    pace: Option<Duration>,
}

impl Gather {
    /// Nothing has moved yet.
    pub fn new(now: Instant) -> Self {
        Self {
            turn: now,
            window: now,
            counted: (0, 0),
            pace: None,
        }
    }

    /// How long to wait until the next turn, whatever comes in meanwhile; `None` to take the next input at once.
    pub fn pause(&self, now: Instant) -> Option<Duration> {
        Some((self.turn + self.pace?).saturating_duration_since(now))
    }

    /// A turn starts. `received` and `sent` count datagrams since the shard's start; `nodes` are the
    /// others that it shares rooms with.
    pub fn turn(&mut self, now: Instant, received: u64, sent: u64, nodes: usize) {
        self.turn = now;
        let passed = now.saturating_duration_since(self.window);
        if passed < WINDOW {
            return;
        }
        let per_second =
            |count: u64, before: u64| count.saturating_sub(before) as f64 / passed.as_secs_f64();
        let incoming = per_second(received, self.counted.0);
        let outgoing = per_second(sent, self.counted.1);
        (self.window, self.counted) = (now, (received, sent));
        let threshold = if self.pace.is_some() { CALM } else { BUSY };
        self.pace = (incoming + outgoing >= threshold).then(|| {
            let full = Duration::from_secs_f64(MAX_WAITING / incoming.max(1.0));
            let pace = if nodes > 0 { SHARED_PACE } else { PACE };
            pace.min(full)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After a second of turns 5 ms apart at these rates, alone.
    fn after(received: u64, sent: u64) -> (Gather, Instant) {
        after_beside(received, sent, 0)
    }

    fn after_beside(received: u64, sent: u64, nodes: usize) -> (Gather, Instant) {
        let start = Instant::now();
        let mut gather = Gather::new(start);
        for turn in 1..=200 {
            let now = start + Duration::from_millis(5 * turn);
            gather.turn(now, received * turn / 200, sent * turn / 200, nodes);
        }
        (gather, start + Duration::from_secs(1))
    }

    #[test]
    fn a_quiet_shard_never_waits() {
        let (gather, now) = after(500, 1_000);
        assert_eq!(gather.pause(now), None);
    }

    #[test]
    fn turns_of_a_busy_shard_keep_their_pace_and_a_late_one_does_not_wait() {
        let (gather, now) = after(1_000, 50_000);
        assert_eq!(gather.pause(now), Some(PACE));
        let soon = now + Duration::from_millis(1);
        assert_eq!(gather.pause(soon), Some(PACE - Duration::from_millis(1)));
        assert_eq!(gather.pause(now + 2 * PACE), Some(Duration::ZERO));
    }

    #[test]
    fn a_shard_that_shares_rooms_with_other_nodes_waits_less() {
        let (gather, now) = after_beside(1_000, 50_000, 1);
        assert_eq!(gather.pause(now), Some(SHARED_PACE));
    }

    #[test]
    fn a_flood_shortens_the_pace_so_that_no_buffer_overflows() {
        let (gather, now) = after(100_000, 100_000);
        let pause = gather.pause(now).unwrap();
        assert!(pause <= Duration::from_micros(640), "{pause:?}");
    }

    #[test]
    fn a_shard_that_calms_down_stops_waiting_and_one_in_between_stays_as_it_was() {
        let (mut gather, now) = after(1_000, 3_000);
        let (between, calm) = (now + WINDOW, now + 2 * WINDOW);
        gather.turn(between, 1_000, 3_200, 0);
        assert!(gather.pause(between).is_some());
        gather.turn(calm, 1_000, 3_210, 0);
        assert_eq!(gather.pause(calm), None);
    }
}
