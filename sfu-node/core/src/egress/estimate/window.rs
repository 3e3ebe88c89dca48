//! A bitrate over the last moments, from bytes counted into short buckets of time.

use super::Micros;

/// Length of a bucket.
const BUCKET: Micros = 10_000;
/// Buckets: 640 ms; a power of two.
const BUCKETS: usize = 64;
/// Longest window that can be asked for.
const LONGEST: Micros = BUCKET * (BUCKETS as Micros - 4);

/// Bytes by the time they were sent, or arrived.
#[derive(Debug)]
pub struct RateWindow {
    buckets: [u32; BUCKETS],
    /// Number of the newest bucket.
    newest: Option<i64>,
    /// The earliest and the latest time counted.
    first: Micros,
    last: Micros,
}

impl Default for RateWindow {
    fn default() -> Self {
        Self {
            buckets: [0; BUCKETS],
            newest: None,
            first: 0,
            last: 0,
        }
    }
}

impl RateWindow {
    /// Counts bytes. Times may come in any order; what is older than the buckets is ignored.
    pub fn add(&mut self, at: Micros, bytes: u32) {
        let bucket = at.div_euclid(BUCKET);
        match self.newest {
            None => {
                self.newest = Some(bucket);
                self.first = at;
                self.last = at;
            }
            Some(newest) if bucket > newest => {
                let steps = (bucket - newest).min(BUCKETS as i64);
                for step in 1..=steps {
                    self.buckets[place(newest + step)] = 0;
                }
                if bucket - newest >= BUCKETS as i64 {
                    self.buckets = [0; BUCKETS];
                    self.first = at;
                }
                self.newest = Some(bucket);
            }
            Some(newest) if newest - bucket >= BUCKETS as i64 => return,
            Some(_) => {}
        }
        self.last = self.last.max(at);
        self.buckets[place(bucket)] += bytes;
    }

    /// Bits per second over the window that ends at `end` (or at the latest time counted, if that is later). `None` until
    /// half of such a window has been seen.
    pub fn rate(&self, end: Micros, window: Micros) -> Option<u64> {
        let newest = self.newest?;
        let window = window.min(LONGEST);
        let end = end.max(self.last);
        let seen = (end - self.first).min(window);
        if seen < window / 2 {
            return None;
        }
        let oldest = (end - seen).div_euclid(BUCKET) + 1;
        let oldest = oldest.max(newest - BUCKETS as i64 + 1);
        let bytes: u64 = (oldest..=newest)
            .map(|bucket| u64::from(self.buckets[place(bucket)]))
            .sum();
        Some(bytes * 8_000_000 / seen as u64)
    }

    /// The latest time counted.
    #[cfg(test)]
    pub fn last(&self) -> Micros {
        self.last
    }
}

fn place(bucket: i64) -> usize {
    bucket as usize & (BUCKETS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Micros = 1_000;

    #[test]
    fn a_steady_stream_has_its_rate() {
        let mut window = RateWindow::default();
        assert_eq!(window.rate(0, 500 * MS), None);
        for n in 0..400 {
            // 1,000 bytes each 4 ms: 2 Mbit/s. Negative times are times, too.
            window.add(n * 4 * MS - 777 * MS, 1_000);
        }
        for length in [200, 300, 500] {
            let rate = window.rate(0, length * MS).unwrap();
            assert!((1_900_000..=2_060_000).contains(&rate), "{length}: {rate}");
        }
        // Silence counts.
        let last = window.last();
        assert_eq!(window.rate(last + 1_000 * MS, 500 * MS), Some(0));
        let half = window.rate(last + 250 * MS, 500 * MS).unwrap();
        assert!((950_000..=1_050_000).contains(&half), "{half}");
    }

    #[test]
    fn a_long_pause_empties_it_and_late_times_are_counted_where_they_belong() {
        let mut window = RateWindow::default();
        for n in 0..100 {
            window.add(n * 10 * MS, 1_000);
        }
        window.add(10_000 * MS, 500);
        assert_eq!(window.rate(10_000 * MS, 500 * MS), None);
        window.add(10_300 * MS, 500);
        window.add(10_100 * MS, 500);
        assert_eq!(window.rate(10_300 * MS, 300 * MS), Some(1_000 * 8 * 10 / 3));
    }
}
