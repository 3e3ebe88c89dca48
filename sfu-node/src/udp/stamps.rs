//! The kernel's time stamps on our clock. They are of the wall clock, which may be set at any time; ours never is.

use std::time::{Duration, Instant};

/// Both clocks go at one pace to this much between two looks: the wall clock is slewed by less, and set by more.
const TOLERANCE: Duration = Duration::from_millis(1);
/// No message waits for longer in a socket whose shard lives: an older stamp is of a wall clock that was set since.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Both clocks, looked at with each batch of messages.
#[derive(Debug, Default)]
pub struct Stamps {
    latest: Option<(Instant, Duration)>,
    /// Whether the wall clock was set, and messages that were stamped before that may wait still: what comes now may be of
    /// either time.
    was_set: bool,
    /// Whether the batch that was looked at last was full, so that more may wait.
    was_full: bool,
}

impl Stamps {
    /// Both clocks, read at once; the wall clock as the time since its epoch. `full`: after this batch there may be more.
    pub fn look(&mut self, now: Instant, wall: Duration, full: bool) {
        let before = self.latest.replace((now, wall));
        let is_set = before.is_some_and(|(then, wall_then)| {
            let expected = wall_then + now.saturating_duration_since(then);
            expected.abs_diff(wall) > TOLERANCE
        });
        self.was_set = is_set || self.was_set && self.was_full;
        self.was_full = full;
    }

    /// When a message of the batch arrived that was looked at last; without a stamp that means something, then.
    pub fn arrival(&self, stamp: Option<Duration>) -> Instant {
        let Some((now, wall)) = self.latest else {
            return Instant::now();
        };
        let age = stamp.filter(|_| !self.was_set);
        let age = age.and_then(|stamp| wall.checked_sub(stamp));
        let age = age.unwrap_or_default().min(LONGEST_WAIT);
        now.checked_sub(age).unwrap_or(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);
    const WALL: Duration = Duration::from_secs(1_800_000_000);

    #[test]
    fn an_arrival_is_as_old_as_its_stamp() {
        let now = Instant::now();
        let mut stamps = Stamps::default();
        stamps.look(now, WALL, false);
        assert_eq!(stamps.arrival(Some(WALL - 2 * MS)), now - 2 * MS);
        assert_eq!(stamps.arrival(None), now);
        // A look that was interrupted between the clocks.
        assert_eq!(stamps.arrival(Some(WALL + MS)), now);
    }

    #[test]
    fn a_wall_clock_that_is_set_moves_no_arrival() {
        let start = Instant::now();
        for set_to in [WALL + 3_600_000 * MS, WALL - 3_600_000 * MS] {
            let mut stamps = Stamps::default();
            stamps.look(start, WALL, false);
            // Stamped before it was set, and read after that.
            let now = start + 5 * MS;
            stamps.look(now, set_to, false);
            assert_eq!(stamps.arrival(Some(WALL + 3 * MS)), now);
            assert_eq!(stamps.arrival(Some(set_to - MS)), now);
            let now = now + 5 * MS;
            stamps.look(now, set_to + 5 * MS, false);
            assert_eq!(stamps.arrival(Some(set_to + 4 * MS)), now - MS);
        }
    }

    #[test]
    fn what_was_stamped_before_the_clock_was_set_is_read_in_more_than_one_batch() {
        let start = Instant::now();
        let set_to = WALL + 3_600_000 * MS;
        let mut stamps = Stamps::default();
        stamps.look(start, WALL, true);
        for (batch, full) in [(1, true), (2, true), (3, false)] {
            let now = start + batch * MS;
            stamps.look(now, set_to + batch * MS, full);
            assert_eq!(stamps.arrival(Some(WALL)), now);
        }
        // All that came before is read.
        let now = start + 4 * MS;
        stamps.look(now, set_to + 4 * MS, true);
        assert_eq!(stamps.arrival(Some(set_to + 2 * MS)), now - 2 * MS);
    }

    #[test]
    fn no_arrival_lies_seconds_back() {
        let now = Instant::now() + Duration::from_secs(3_600);
        let mut stamps = Stamps::default();
        stamps.look(now, WALL, false);
        let stamp = WALL - Duration::from_secs(60);
        assert_eq!(stamps.arrival(Some(stamp)), now - LONGEST_WAIT);
    }
}
