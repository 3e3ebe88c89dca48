//! The kernel's time stamps on our clock. They are of the wall clock, which may be set at any time; ours never is.

use std::time::{Duration, Instant};

/// Both clocks go at one pace to this much between two looks: the wall clock is slewed by less, and set by more.
const TOLERANCE: Duration = Duration::from_millis(1);

/// Both clocks, looked at with each batch of messages.
#[derive(Debug, Default)]
pub struct Stamps {
    latest: Option<(Instant, Duration)>,
    /// Whether the wall clock was set since the look before: what was stamped meanwhile may be of either time.
    was_set: bool,
}

impl Stamps {
    /// Both clocks, read at once; the wall clock as the time since its epoch.
    pub fn look(&mut self, now: Instant, wall: Duration) {
        let before = self.latest.replace((now, wall));
        self.was_set = before.is_some_and(|(then, wall_then)| {
            let expected = wall_then + now.saturating_duration_since(then);
            expected.abs_diff(wall) > TOLERANCE
        });
    }

    /// When a message of the batch arrived that was looked at last; without a stamp that means something, then.
    pub fn arrival(&self, stamp: Option<Duration>) -> Instant {
        let Some((now, wall)) = self.latest else {
            return Instant::now();
        };
        let age = stamp.filter(|_| !self.was_set);
        let age = age.and_then(|stamp| wall.checked_sub(stamp));
        now.checked_sub(age.unwrap_or_default()).unwrap_or(now)
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
        stamps.look(now, WALL);
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
            stamps.look(start, WALL);
            // Stamped before it was set, and read after that.
            let now = start + 5 * MS;
            stamps.look(now, set_to);
            assert_eq!(stamps.arrival(Some(WALL + 3 * MS)), now);
            assert_eq!(stamps.arrival(Some(set_to - MS)), now);
            let now = now + 5 * MS;
            stamps.look(now, set_to + 5 * MS);
            assert_eq!(stamps.arrival(Some(set_to + 4 * MS)), now - MS);
        }
    }
}
