//! An estimate for receivers without transport-wide feedback: by their own one (REMB), and by the loss they report.

use super::{MIN_BITRATE, Micros};

/// Most that is sent by such poor knowledge, bit/s.
const MAX_BITRATE: f64 = 3_000_000.0;
/// Below this loss there is room, above the other one too much is sent (draft-ietf-rmcat-gcc-02, 6).
const LITTLE: f64 = 0.02;
const MUCH: f64 = 0.10;
/// Growth each second.
const GROWTH: f64 = 1.08;
/// Longest time between two reports that counts, and shortest time between two decreases.
const MAX_STEP: Micros = 5_000_000;
const PAUSE: Micros = 500_000;

/// What receivers say in the older ways.
#[derive(Debug, Default)]
pub struct Fallback {
    /// The receiver's estimate, bit/s.
    remb: Option<f64>,
    /// What the reported loss allows, bit/s.
    by_loss: Option<f64>,
    /// The loss reported last, 0 to 1.
    loss: f64,
    /// Whether there ever was some to speak of.
    lossy: bool,
    reported: Option<Micros>,
    lowered: Option<Micros>,
}

impl Fallback {
    /// The receiver estimates its path (draft-alvestrand-rmcat-remb-03).
    pub fn remb(&mut self, bitrate: u64) {
        self.remb = Some(bitrate as f64);
    }

    /// A receiver report about a video stream (RFC 3550, 6.4.1): the share lost, in 1/256.
    pub fn report(&mut self, now: Micros, fraction_lost: u8, start: u64) {
        let loss = f64::from(fraction_lost) / 256.0;
        self.loss = loss;
        let passed = self.reported.map_or(0, |at| now - at).clamp(0, MAX_STEP);
        self.reported = Some(now);
        self.lossy |= loss >= LITTLE;
        let mut before = self.by_loss.unwrap_or(start as f64);
        if !self.lossy {
            // The receiver knows its path better than a careful start does, until a loss says otherwise.
            before = before.max(self.remb.unwrap_or(0.0));
        }
        let rate = if loss > MUCH {
            if self.lowered.is_some_and(|at| now - at < PAUSE) {
                return;
            }
            self.lowered = Some(now);
            before * (1.0 - loss / 2.0)
        } else if loss < LITTLE {
            before * GROWTH.powf(passed as f64 / 1e6)
        } else {
            before
        };
        self.by_loss = Some(rate.clamp(MIN_BITRATE as f64, MAX_BITRATE));
    }

    /// The estimate in bits per second, if anything was said.
    pub fn estimate(&self) -> Option<u64> {
        let said = [self.remb, self.by_loss].into_iter().flatten();
        let lowest = said.reduce(f64::min)?;
        Some(lowest.clamp(MIN_BITRATE as f64, MAX_BITRATE) as u64)
    }

    /// The loss reported last, 0 to 1.
    pub fn loss(&self) -> f64 {
        self.loss
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Micros = 1_000_000;

    #[test]
    fn the_receiver_is_believed_from_the_start_until_something_is_lost() {
        let mut fallback = Fallback::default();
        fallback.remb(2_000_000);
        fallback.report(0, 0, 300_000);
        assert_eq!(fallback.estimate(), Some(2_000_000));
        fallback.report(SECOND, 128, 300_000);
        assert_eq!(fallback.estimate(), Some(1_500_000));
        fallback.report(2 * SECOND, 0, 300_000);
        assert!(fallback.estimate() < Some(1_700_000));
    }

    #[test]
    fn it_follows_reported_loss_and_keeps_to_the_receiver_s_estimate() {
        let mut fallback = Fallback::default();
        assert_eq!(fallback.estimate(), None);
        fallback.report(0, 8, 300_000);
        for n in 0..=20 {
            fallback.report(n * SECOND, 0, 300_000);
        }
        let grown = fallback.estimate().unwrap();
        assert!((1_350_000..1_450_000).contains(&grown), "{grown}");
        fallback.report(21 * SECOND, 128, 300_000);
        let lowered = fallback.estimate().unwrap();
        assert_eq!(lowered, grown * 3 / 4);
        // The other streams' reports of the same moment.
        fallback.report(21 * SECOND + 1, 128, 300_000);
        assert_eq!(fallback.estimate(), Some(lowered));
        fallback.remb(400_000);
        assert_eq!(fallback.estimate(), Some(400_000));
        fallback.remb(u64::MAX);
        for n in 22..100 {
            fallback.report(n * SECOND, 0, 300_000);
        }
        assert_eq!(fallback.estimate(), Some(MAX_BITRATE as u64));
    }
}
