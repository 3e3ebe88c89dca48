//! Keyframe requests of one track and layer: many askers, one question at a time.

use std::time::{Duration, Instant};

/// Shortest time between two requests: a keyframe costs the publisher several frames' worth of bits, and one needs
/// about a round trip to arrive; whoever asks meanwhile is served by the same one.
const MIN_INTERVAL: Duration = Duration::from_millis(300);
/// Longest time between repeated requests: a publisher that stays silent (its encoder is off) is not worth more.
const MAX_INTERVAL: Duration = Duration::from_millis(2_400);

/// Decides when a keyframe request goes upstream.
#[derive(Debug, Default)]
pub struct KeyframeGate {
    /// When we asked last.
    asked: Option<Instant>,
    /// Somebody waits: repeat the request after this long.
    waiting: Option<Duration>,
}

impl KeyframeGate {
    /// Somebody needs a keyframe. Whether to ask for it now; if not, [`Self::poll`] will say when.
    pub fn request(&mut self, now: Instant) -> bool {
        let due = self
            .asked
            .is_none_or(|asked| now.saturating_duration_since(asked) >= MIN_INTERVAL);
        match self.waiting {
            None => self.waiting = Some(MIN_INTERVAL),
            Some(_) if !due => {}
            Some(interval) => self.waiting = Some((interval * 2).min(MAX_INTERVAL)),
        }
        if due {
            self.asked = Some(now);
        }
        due
    }

    /// A keyframe arrived: nobody waits any more.
    pub fn received(&mut self) {
        self.waiting = None;
    }

    /// Whether a request that was held back, or not answered, is due now.
    pub fn poll(&mut self, now: Instant) -> bool {
        let (Some(interval), Some(at)) = (self.waiting, self.timeout()) else {
            return false;
        };
        if now < at {
            return false;
        }
        self.waiting = Some((interval * 2).min(MAX_INTERVAL));
        self.asked = Some(now);
        true
    }

    /// When to call [`Self::poll`] next.
    pub fn timeout(&self) -> Option<Instant> {
        Some(self.asked? + self.waiting?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn requests_coalesce_until_the_keyframe_comes() {
        let start = Instant::now();
        let mut gate = KeyframeGate::default();
        assert_eq!(gate.timeout(), None);
        assert!(gate.request(start));
        assert!((1..300).all(|ms| !gate.request(start + ms * MS)));
        gate.received();
        assert_eq!(gate.timeout(), None);
        assert!(!gate.poll(start + 10_000 * MS));
        assert!(gate.request(start + 10_000 * MS));
    }

    #[test]
    fn a_request_right_after_a_keyframe_waits_its_turn() {
        let start = Instant::now();
        let mut gate = KeyframeGate::default();
        assert!(gate.request(start));
        gate.received();
        assert!(!gate.request(start + 60 * MS));
        assert_eq!(gate.timeout(), Some(start + 300 * MS));
        assert!(!gate.poll(start + 299 * MS));
        assert!(gate.poll(start + 300 * MS));
    }

    #[test]
    fn an_unanswered_request_is_repeated_ever_less_often() {
        let start = Instant::now();
        let mut gate = KeyframeGate::default();
        assert!(gate.request(start));
        let sent: Vec<u32> = (1..10_000)
            .filter(|ms| gate.poll(start + *ms * MS))
            .collect();
        assert_eq!(sent, [300, 900, 2_100, 4_500, 6_900, 9_300]);
    }
}
