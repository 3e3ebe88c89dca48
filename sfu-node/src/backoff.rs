//! Jittered exponential backoff for whatever is dialed again and again.

use std::time::Duration;

/// The waits between attempts: each up to twice the one before, spread by half so that a fleet does not dial in step.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    most: Duration,
    next: Duration,
}

impl Backoff {
    /// Waits from `first` to `most`.
    pub fn new(first: Duration, most: Duration) -> Self {
        Self {
            first,
            most,
            next: first,
        }
    }

    /// An attempt has succeeded: the next wait is a short one again.
    pub fn reset(&mut self) {
        self.next = self.first;
    }

    /// How long to wait before the next attempt.
    pub fn wait(&mut self) -> Duration {
        let base = self.next;
        self.next = (base * 2).min(self.most);
        base.mul_f64(rand::random_range(0.5..=1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_most_and_start_again() {
        let (first, most) = (Duration::from_millis(100), Duration::from_secs(3));
        let mut backoff = Backoff::new(first, most);
        for step in 0..12 {
            let wait = backoff.wait();
            let full = (first * 2u32.pow(step.min(6))).min(most);
            assert!(wait <= full && wait * 2 >= full, "step {step}: {wait:?}");
        }
        backoff.reset();
        assert!(backoff.wait() <= first);
    }
}
