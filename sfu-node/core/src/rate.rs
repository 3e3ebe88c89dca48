//! How many bits a second a stream has, over a sliding second.

use std::time::{Duration, Instant};

/// Half of the window: it slides in steps of this.
const STEP: Duration = Duration::from_millis(500);

/// A meter of one stream. It keeps what it last knew while the stream is silent.
#[derive(Debug, Default)]
pub struct Rate {
    /// Bytes of this step and of the one before.
    bytes: [u64; 2],
    started: Option<Instant>,
    rate: Option<u64>,
}

impl Rate {
    /// So many bytes came.
    pub fn add(&mut self, now: Instant, bytes: usize) {
        let started = *self.started.get_or_insert(now);
        let passed = now.saturating_duration_since(started);
        if passed >= STEP {
            self.step(now, passed);
        }
        self.bytes[0] += bytes as u64;
    }

    fn step(&mut self, now: Instant, passed: Duration) {
        let [this, before] = self.bytes;
        // A step that a pause made longer tells nothing.
        if passed < 2 * STEP && before > 0 {
            let micros = (STEP + passed).as_micros() as u64;
            self.rate = Some((this + before) * 8_000_000 / micros);
        }
        self.bytes = if passed < 2 * STEP { [0, this] } else { [0, 0] };
        self.started = Some(now);
    }

    /// Whether nothing has come for so long, if ever anything has.
    pub fn is_silent(&self, now: Instant, since: Duration) -> bool {
        let passed = |at| now.saturating_duration_since(at);
        // The step began with a packet, and one after its end would have begun the next.
        self.started.is_some_and(|at| passed(at) >= STEP + since)
    }

    /// What a stream has had since it began, in bits per second, before a second of it has been seen; `None` before half of one.
    pub fn so_far(&self, now: Instant) -> Option<u64> {
        let in_step = now.saturating_duration_since(self.started?);
        let [this, before] = self.bytes;
        let passed = if before > 0 { STEP + in_step } else { in_step };
        let is_known = passed >= STEP && in_step < 2 * STEP;
        is_known.then(|| (this + before) * 8_000_000 / passed.as_micros() as u64)
    }

    /// In bits per second; `None` until a second has been seen.
    pub fn get(&self) -> Option<u64> {
        self.rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn the_rate_is_known_after_a_second_and_follows_within_another() {
        let start = Instant::now();
        let mut rate = Rate::default();
        // 100 packets a second of 1,000 bytes, then of 250.
        for tick in 0..400_u32 {
            let bytes = if tick < 200 { 1_000 } else { 250 };
            rate.add(start + tick * 10 * MS, bytes);
            match tick {
                0..100 => assert_eq!(rate.get(), None),
                110..200 => assert!(rate.get().unwrap().abs_diff(800_000) < 20_000),
                320.. => assert!(rate.get().unwrap().abs_diff(200_000) < 10_000),
                _ => {}
            }
        }
    }

    #[test]
    fn what_a_young_stream_has_had_is_known_after_half_a_second() {
        let start = Instant::now();
        let mut rate = Rate::default();
        assert_eq!(rate.so_far(start), None);
        for tick in 0..100_u32 {
            let now = start + tick * 10 * MS;
            rate.add(now, 1_000);
            match tick {
                0..50 => assert_eq!(rate.so_far(now), None),
                50.. => assert!(rate.so_far(now).unwrap().abs_diff(800_000) < 20_000),
            }
        }
        assert_eq!(rate.so_far(start + 10_000 * MS), None, "it is silent");
    }

    #[test]
    fn silence_is_not_counted() {
        let start = Instant::now();
        let mut rate = Rate::default();
        for tick in 0..200_u32 {
            rate.add(start + tick * 10 * MS, 1_000);
        }
        let before = rate.get();
        rate.add(start + 60_000 * MS, 1_000);
        assert_eq!(rate.get(), before);
        for tick in 0..200_u32 {
            rate.add(start + (60_000 + tick * 10) * MS, 1_000);
        }
        assert!(rate.get().unwrap().abs_diff(800_000) < 20_000);
    }
}
