//! Keyframe requests: those of one viewer, ever less often, and those of all for one layer, one question at a time.

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

/// The first pleas of a viewer lie at least so far apart, …
const FIRST_WAIT: Duration = Duration::from_millis(300);
/// … each next one twice as far, but no farther than this: a path that loses this much needs more than keyframes.
const LONGEST_WAIT: Duration = Duration::from_secs(4);
/// A viewer that has had a keyframe and asked for nothing in so long is well again.
const QUIET: Duration = Duration::from_secs(5);

/// When one viewer's pleas for keyframes of what it sees are passed on. Everybody who sees the publisher pays for a keyframe,
/// so a path that loses one after the other must not set the pace for all.
#[derive(Debug, Default)]
pub struct Pleas {
    /// When the viewer pleaded last, whether or not that was passed on.
    pleaded: Option<Instant>,
    /// When a plea was passed on last, and how long the next one waits from then on.
    passed_on: Option<(Instant, Duration)>,
    /// One is held back.
    held: bool,
    /// A keyframe was sent since a plea was passed on last.
    answered: bool,
}

impl Pleas {
    /// The viewer needs a keyframe. Whether to pass that on now; if not, [`Self::poll`] will say when.
    pub fn plead(&mut self, now: Instant) -> bool {
        let before = self.pleaded.replace(now);
        let quiet = before.is_none_or(|at| now.saturating_duration_since(at) >= QUIET);
        if quiet && self.answered {
            self.passed_on = None;
        }
        self.held = true;
        self.poll(now)
    }

    /// Whether a plea that was held back is to be passed on now.
    pub fn poll(&mut self, now: Instant) -> bool {
        let wait = self.passed_on.map_or(FIRST_WAIT, |(_, wait)| wait);
        let early = self
            .passed_on
            .is_some_and(|(at, wait)| now.saturating_duration_since(at) < wait);
        if !self.held || early {
            return false;
        }
        let next = match self.passed_on {
            Some(_) => (wait * 2).min(LONGEST_WAIT),
            None => FIRST_WAIT,
        };
        self.passed_on = Some((now, next));
        self.held = false;
        self.answered = false;
        true
    }

    /// When to call [`Self::poll`] next.
    pub fn timeout(&self) -> Option<Instant> {
        let (at, wait) = self.passed_on.filter(|_| self.held)?;
        Some(at + wait)
    }

    /// A keyframe was sent to the viewer.
    pub fn answered(&mut self) {
        self.held = false;
        self.answered = true;
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

    /// When pleas are passed on of a viewer that pleads every 300 ms from `from` to `to` and is sent a keyframe each time.
    fn passed_on(pleas: &mut Pleas, start: Instant, from: u32, to: u32) -> Vec<u32> {
        let mut passed = Vec::new();
        for ms in (from..to).step_by(100) {
            let now = start + ms * MS;
            if pleas.poll(now) || (ms % 300 == 0 && pleas.plead(now)) {
                passed.push(ms);
                pleas.answered();
            }
        }
        passed
    }

    #[test]
    fn who_pleads_again_and_again_is_heard_ever_less_often() {
        let start = Instant::now();
        let mut pleas = Pleas::default();
        let passed = passed_on(&mut pleas, start, 0, 16_600);
        assert_eq!(passed, [0, 300, 900, 2_100, 4_500, 8_500, 12_500, 16_500],);
        // After a quiet time it is heard at once, and soon again.
        let passed = passed_on(&mut pleas, start, 30_000, 32_000);
        assert_eq!(passed, [30_000, 30_300, 30_900]);
    }

    #[test]
    fn a_plea_that_is_held_back_is_not_forgotten_unless_a_keyframe_comes() {
        let start = Instant::now();
        let mut pleas = Pleas::default();
        assert!(pleas.plead(start));
        assert!(!pleas.poll(start + 5_000 * MS), "there is none");
        assert!(pleas.plead(start + 5_000 * MS));
        assert_eq!(pleas.timeout(), None);
        assert!(!pleas.plead(start + 5_400 * MS));
        assert_eq!(pleas.timeout(), Some(start + 5_600 * MS));
        assert!(!pleas.poll(start + 5_599 * MS));
        assert!(pleas.poll(start + 5_600 * MS));
        assert!(!pleas.plead(start + 5_700 * MS));
        pleas.answered();
        assert!(!pleas.poll(start + 9_000 * MS));
    }

    #[test]
    fn silence_without_a_keyframe_is_no_recovery() {
        let start = Instant::now();
        let mut pleas = Pleas::default();
        passed_on(&mut pleas, start, 0, 8_600);
        assert!(pleas.plead(start + 12_500 * MS));
        assert!(pleas.plead(start + 30_000 * MS), "none has come since");
        assert!(!pleas.plead(start + 33_900 * MS));
        assert!(pleas.plead(start + 34_000 * MS));
    }
}
