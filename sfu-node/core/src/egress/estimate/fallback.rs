//! An estimate for receivers without transport-wide feedback: by their own one (REMB), and by the loss they report. What
//! nobody complains about may go on; there is no bound before something is lost, or the receiver names one.

use super::loss::{LossBound, Rates};
use super::{MAX_BITRATE, MIN_BITRATE, Micros};

/// What receivers say in the older ways.
#[derive(Debug, Default)]
pub struct Fallback {
    /// The receiver's estimate, bit/s.
    remb: Option<u64>,
    loss: LossBound,
}

impl Fallback {
    /// The receiver estimates its path (draft-alvestrand-rmcat-remb-03).
    pub fn remb(&mut self, bitrate: u64) {
        self.remb = Some(bitrate.clamp(MIN_BITRATE, MAX_BITRATE));
    }

    /// So many packets of a stream were to come since its last report, and of them so many did not.
    pub fn report(&mut self, expected: u32, lost: u32) {
        self.loss.reported(expected, lost);
    }

    /// Goes by what was reported.
    pub fn update(&mut self, now: Micros, rates: &Rates) {
        self.loss.update(now, rates);
    }

    /// The estimate in bits per second, if anything was said.
    pub fn estimate(&self) -> Option<u64> {
        let said = [self.remb, self.loss.bound()].into_iter().flatten();
        // Reports can be forged: whatever they say, no path is taken for more than one can be.
        said.min()
            .map(|lowest| lowest.clamp(MIN_BITRATE, MAX_BITRATE))
    }

    /// Share of packets lost of late, 0 to 1.
    pub fn loss(&self) -> f64 {
        self.loss.loss()
    }

    /// Share of packets lost since the last look, 0 to 1.
    pub fn take_loss(&mut self) -> f64 {
        self.loss.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Micros = 1_000_000;

    /// One report a second, for so many, of what is sent over a path that carries `capacity`; returns the last estimate.
    fn run(fallback: &mut Fallback, from: i64, seconds: i64, capacity: f64) -> Option<u64> {
        const WANTED: f64 = 2e6;
        for second in from..from + seconds {
            let sent = fallback.estimate().map_or(WANTED, |e| WANTED.min(e as f64));
            let lost = (1.0 - capacity / sent).max(0.0);
            let packets = sent / 8_000.0;
            fallback.report(packets as u32, (packets * lost).round() as u32);
            let rates = Rates {
                sending: sent as u64,
                allowed: WANTED as u64,
                acknowledged: Some((sent * (1.0 - lost)) as u64),
                round_trip: SECOND / 10,
            };
            fallback.update(second * SECOND, &rates);
        }
        fallback.estimate()
    }

    #[test]
    fn what_arrives_is_not_limited_and_a_narrow_path_is() {
        let mut fallback = Fallback::default();
        assert_eq!(run(&mut fallback, 0, 60, 3e6), None);
        assert_eq!(fallback.loss(), 0.0);
        let narrow = run(&mut fallback, 60, 4, 5e5).expect("much is lost");
        assert!((400_000..560_000).contains(&narrow), "{narrow}");
        let narrow = run(&mut fallback, 64, 60, 5e5).expect("it is remembered");
        assert!((400_000..700_000).contains(&narrow), "{narrow}");
        let wide = run(&mut fallback, 124, 60, 3e6);
        assert!(wide.is_none_or(|wide| wide > 2_000_000), "{wide:?}");
    }

    #[test]
    fn the_receiver_s_own_estimate_is_kept_to() {
        let mut fallback = Fallback::default();
        fallback.remb(1_000_000);
        assert_eq!(run(&mut fallback, 0, 10, 3e6), Some(1_000_000));
        assert!(run(&mut fallback, 10, 4, 5e5) < Some(600_000));
        fallback.remb(0);
        assert_eq!(fallback.estimate(), Some(MIN_BITRATE));
        fallback.remb(u64::MAX);
        let lowest = fallback.estimate();
        assert!(lowest < Some(1_000_000), "{lowest:?}");
    }

    #[test]
    fn no_path_is_taken_for_more_than_one_can_be() {
        let mut fallback = Fallback::default();
        for second in 0..60 {
            fallback.report(1_000, 500);
            let rates = Rates {
                sending: 4_000_000_000,
                allowed: 4_000_000_000,
                acknowledged: Some(3_000_000_000),
                round_trip: SECOND / 10,
            };
            fallback.update(second * SECOND, &rates);
        }
        assert_eq!(fallback.estimate(), Some(MAX_BITRATE));
    }
}
