//! A network between addresses: delay, jitter, loss, all from one seed; and narrow places in it.

use std::time::{Duration, Instant};

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

/// A narrow place of a path: a queue in front of it, and what does not fit is dropped.
#[derive(Debug, Clone, Copy)]
pub struct Bottleneck {
    /// Bits per second.
    pub rate: u64,
    /// Longest wait.
    pub queue: Duration,
    /// Until when it is busy with what has come.
    busy: Option<Instant>,
    pub dropped: u64,
}

impl Bottleneck {
    /// A place of this rate, with a queue as access lines have it.
    pub fn of(rate: u64) -> Self {
        Self {
            rate,
            queue: Duration::from_millis(300),
            busy: None,
            dropped: 0,
        }
    }

    /// When a datagram of so many bytes that comes now has passed; `None` when it is dropped.
    pub fn pass(&mut self, now: Instant, bytes: usize) -> Option<Instant> {
        let free = self.busy.map_or(now, |busy| busy.max(now));
        let wait = free - now;
        if wait > self.queue {
            self.dropped += 1;
            return None;
        }
        let passed = free + Duration::from_secs_f64(bytes as f64 * 8.0 / self.rate as f64);
        self.busy = Some(passed);
        Some(passed)
    }
}
