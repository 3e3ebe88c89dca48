//! A network between addresses: delay, jitter, loss, all from one seed.

use std::time::Duration;

/// What a packet goes through in one direction.
#[derive(Debug, Clone, Copy)]
pub struct Path {
    pub delay: Duration,
    /// Up to so much is added to the delay of each packet, so that packets overtake each other.
    pub jitter: Duration,
    /// Share of packets lost, 0 to 1.
    pub loss: f64,
}

impl Path {
    /// A path that only delays.
    pub fn clean(delay_ms: u64) -> Self {
        Self {
            delay: Duration::from_millis(delay_ms),
            jitter: Duration::ZERO,
            loss: 0.0,
        }
    }

    /// The same path with loss.
    pub fn lossy(self, loss: f64) -> Self {
        Self { loss, ..self }
    }

    /// The same path with jitter.
    pub fn jittery(self, jitter_ms: u64) -> Self {
        Self {
            jitter: Duration::from_millis(jitter_ms),
            ..self
        }
    }

    /// How long a packet takes; `None` when it is lost.
    pub fn carry(&self, rng: &mut fastrand::Rng) -> Option<Duration> {
        let lost = rng.f64() < self.loss;
        let jitter = self.jitter.mul_f64(rng.f64());
        (!lost).then_some(self.delay + jitter)
    }

    /// How long a reliable message takes: each loss costs one more round trip.
    pub fn carry_reliably(&self, rng: &mut fastrand::Rng) -> Duration {
        let mut time = self.delay;
        while rng.f64() < self.loss {
            time += self.delay * 2;
        }
        time
    }
}
