//! By how much packets of ours are late and early at the receiver, whoever's they are (RFC 3550, A.8, by the times at which they
//! left us): what their publishers' ways up do to them is not in it.

use std::time::Duration;

use super::Micros;

/// The packets of a burst wait for each other in any queue. The first of each tells of the path, and so does sound.
const BURST: Micros = 10_000;
/// A larger difference is a pause, or another clock.
const MAX_DIFFERENCE: Micros = 1_000_000;

/// The jitter of a path, and whether anything has come over it since the last look.
#[derive(Debug, Default)]
pub struct Jitter {
    /// When the last first one of a burst left and arrived, each by its side's clock.
    last: Option<(Micros, Micros)>,
    /// In microseconds.
    mean: f64,
    seen: bool,
}

impl Jitter {
    /// A packet has arrived. To be told in the order in which they left.
    pub fn add(&mut self, sent: Micros, arrival: Micros) {
        let Some((sent_before, arrival_before)) = self.last else {
            self.last = Some((sent, arrival));
            return;
        };
        if sent - sent_before < BURST {
            return;
        }
        self.last = Some((sent, arrival));
        let difference = (arrival - arrival_before) - (sent - sent_before);
        if difference.abs() < MAX_DIFFERENCE {
            self.mean += (difference.abs() as f64 - self.mean) / 16.0;
            self.seen = true;
        }
    }

    /// The jitter, if anything has come since the last look.
    pub fn take(&mut self) -> Duration {
        match std::mem::take(&mut self.seen) {
            true => Duration::from_secs_f64(self.mean / 1e6),
            false => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Micros = 1_000;

    #[test]
    fn it_is_the_mean_deviation_and_a_burst_is_no_deviation() {
        let mut jitter = Jitter::default();
        assert_eq!(jitter.take(), Duration::ZERO);
        for n in 0..500 {
            let sent = n * 20 * MS;
            let late = n % 2 * 6 * MS;
            // The receiver's clock is another.
            let arrival = sent + 77_000 * MS + late;
            jitter.add(sent, arrival);
            for queued in 1..5 {
                jitter.add(sent, arrival + queued * 3 * MS);
            }
        }
        let measured = jitter.take();
        assert!(measured.abs_diff(Duration::from_millis(6)) < Duration::from_millis(1));
        assert_eq!(jitter.take(), Duration::ZERO, "nothing has come since");
        // After a pause, in which the receiver's clock has started anew.
        jitter.add(60_000 * MS, 0);
        assert_eq!(jitter.take(), Duration::ZERO);
    }
}
