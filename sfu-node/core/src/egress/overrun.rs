//! A slot that was overrun: when it may ask for a keyframe, so that keyframes do not become what overruns it.

use std::time::{Duration, Instant};

/// The next overrun within so long of the last is the same trouble …
const MEMORY: Duration = Duration::from_secs(10);
/// … and the path has so long to recover before the next keyframe, …
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// … twice as long each time, but no longer than this: everybody who sees the publisher pays for each keyframe.
const LONGEST_WAIT: Duration = Duration::from_secs(4);

/// What became of a slot whose packets were not sent, because they had waited too long.
#[derive(Debug, Default)]
pub struct Overrun {
    last: Option<Instant>,
    wait: Duration,
}

impl Overrun {
    /// The slot is overrun now.
    pub fn note(&mut self, now: Instant) {
        let again = self
            .last
            .is_some_and(|last| now.saturating_duration_since(last) < MEMORY);
        self.wait = match again {
            true => (self.wait * 2).clamp(FIRST_WAIT, LONGEST_WAIT),
            false => Duration::ZERO,
        };
        self.last = Some(now);
    }

    /// Whether a keyframe may be asked for now.
    pub fn is_over(&self, now: Instant) -> bool {
        self.last
            .is_none_or(|last| now.saturating_duration_since(last) >= self.wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_costs_no_time_and_each_of_a_series_twice_as_much() {
        let second = Duration::from_secs(1);
        let mut now = Instant::now();
        let mut overrun = Overrun::default();
        assert!(overrun.is_over(now));
        for wait in [0, 1, 2, 4, 4] {
            overrun.note(now);
            let over = now + wait * second;
            assert!(overrun.is_over(over), "{wait}");
            assert!(wait == 0 || !overrun.is_over(over - second / 100), "{wait}");
            now = over + second;
        }
        now += MEMORY;
        overrun.note(now);
        assert!(overrun.is_over(now), "that was another trouble");
    }
}
