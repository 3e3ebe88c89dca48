//! What a path to another node carries, and which flows have to wait when that is not everything.
//!
//! A queue that stands is the sign that the path is short: QUIC's congestion control has slowed down, and its window says
//! little as long as it is not filled. Then the least important flows are paused until what is left fits, at once. When
//! the queue is gone, one flow after the other is tried again, each with time to show its effect; after a failed try the
//! next waits twice as long.

use std::time::{Duration, Instant};

/// A queue that takes longer than this to empty stands.
const LONG: Duration = Duration::from_millis(30);
/// A queue that takes no longer than this is none.
const SHORT: Duration = Duration::from_millis(10);
/// Share of the path's rate that is filled after a pause: room for keyframes, and for the queue to empty.
const FILL: f64 = 0.85;
/// How long a path must have been free before a flow is tried again, and after tries that failed at most.
const FIRST_WAIT: Duration = Duration::from_secs(2);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// A queue within this time after a try is the try's failure.
const TRIAL: Duration = Duration::from_secs(4);
/// Time between two pauses: what was paused last must leave the queue before it is measured again.
const SETTLE: Duration = Duration::from_millis(300);
/// How long a queue may stand though what flows fits by now: what was lost meanwhile is being repaired.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// What a flow is taken to need whose rate was never seen, in bits per second.
const UNKNOWN: f64 = 300_000.0;

/// How much a flow matters: the larger is kept longer. Sound is never paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Importance {
    /// A camera's upper layer, the lower ones make do; and how loud the person before it is.
    Detail(u8),
    /// A camera's lowest layer.
    Camera(u8),
    /// Somebody's screen, of any layer.
    Screen,
    Sound,
}

/// A flow on the path.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    pub flow: u64,
    pub importance: Importance,
    /// Bits per second, while it flowed last; `None` if it never did.
    pub rate: Option<f64>,
    pub paused: bool,
}

/// What becomes of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Pause(u64),
    Resume(u64),
}

/// A path to a peer over time.
#[derive(Debug)]
pub struct Path {
    /// Since when there is no queue.
    free: Option<Instant>,
    paused_at: Option<Instant>,
    tried: Option<Instant>,
    wait: Duration,
}

impl Default for Path {
    fn default() -> Self {
        Self {
            free: None,
            paused_at: None,
            tried: None,
            wait: FIRST_WAIT,
        }
    }
}

impl Path {
    /// The path carries so many bits per second, and so many bytes wait for it. Says whether the flows are worth a look.
    pub fn is_due(&mut self, now: Instant, rate: f64, queued: usize) -> bool {
        let delay = Duration::from_secs_f64((queued as f64 * 8.0 / rate.max(1.0)).min(10.0));
        if delay > SHORT {
            self.free = None;
        } else {
            self.free.get_or_insert(now);
        }
        let settled = self.paused_at.is_none_or(|at| now >= at + SETTLE);
        delay > LONG && settled || self.free.is_some_and(|since| now >= since + self.wait)
    }

    /// What is to become of the flows; to be asked when [`is_due`](Self::is_due) says so.
    pub fn decide(&mut self, now: Instant, rate: f64, flows: &mut Vec<Load>) -> Vec<Verdict> {
        flows.retain(|flow| flow.importance != Importance::Sound || !flow.paused);
        // The least important first; of equals, the one that costs most.
        flows.sort_by(|a, b| {
            let cost = |load: &Load| load.rate.unwrap_or(UNKNOWN);
            let by_cost = cost(b).total_cmp(&cost(a));
            a.importance.cmp(&b.importance).then(by_cost)
        });
        if self.free.is_some() {
            self.try_one(now, flows)
        } else {
            self.make_fit(now, rate, flows)
        }
    }

    fn make_fit(&mut self, now: Instant, rate: f64, flows: &[Load]) -> Vec<Verdict> {
        if self.tried.take_if(|tried| now < *tried + TRIAL).is_some() {
            self.wait = (self.wait * 2).min(LONGEST_WAIT);
        }
        let flowing = flows.iter().filter(|flow| !flow.paused);
        let mut sum: f64 = flowing.clone().filter_map(|flow| flow.rate).sum();
        let mut target = rate * FILL;
        if sum <= target {
            if self.paused_at.is_some_and(|at| now < at + PATIENCE) {
                return Vec::new();
            }
            // It ought to fit and does not: the path carries less than its window says.
            target = sum * FILL;
        }
        self.paused_at = Some(now);
        let mut verdicts = Vec::new();
        for flow in flowing.filter(|flow| flow.importance != Importance::Sound) {
            if sum <= target {
                break;
            }
            sum -= flow.rate.unwrap_or_default();
            verdicts.push(Verdict::Pause(flow.flow));
        }
        verdicts
    }

    fn try_one(&mut self, now: Instant, flows: &[Load]) -> Vec<Verdict> {
        if self
            .tried
            .is_some_and(|tried| now >= tried + self.wait + TRIAL)
        {
            self.wait = FIRST_WAIT;
        }
        let Some(next) = flows.iter().rev().find(|flow| flow.paused) else {
            self.tried = None;
            return Vec::new();
        };
        self.tried = Some(now);
        // The next try waits until this one has shown its effect.
        self.free = Some(now);
        vec![Verdict::Resume(next.flow)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MBIT: f64 = 1_000_000.0;

    fn load(flow: u64, importance: Importance, rate: f64) -> Load {
        Load {
            flow,
            importance,
            rate: Some(rate),
            paused: false,
        }
    }

    fn meeting() -> Vec<Load> {
        vec![
            load(1, Importance::Sound, 0.04 * MBIT),
            load(2, Importance::Detail(0), 1.5 * MBIT),
            load(3, Importance::Detail(9), 1.5 * MBIT),
            load(4, Importance::Camera(0), 0.15 * MBIT),
            load(5, Importance::Camera(9), 0.15 * MBIT),
            load(6, Importance::Screen, 1.0 * MBIT),
        ]
    }

    fn queue(rate: f64, time: Duration) -> usize {
        (rate * time.as_secs_f64() / 8.0) as usize
    }

    fn pauses(rate: f64) -> Vec<u64> {
        let (mut path, now) = (Path::default(), Instant::now());
        assert!(path.is_due(now, rate, queue(rate, LONG * 2)));
        let verdicts = path.decide(now, rate, &mut meeting());
        let flow = |verdict| match verdict {
            Verdict::Pause(flow) => flow,
            Verdict::Resume(flow) => panic!("{flow} is resumed"),
        };
        verdicts.into_iter().map(flow).collect()
    }

    #[test]
    fn details_go_first_then_faces_the_screen_last_and_sound_never() {
        assert_eq!(pauses(4.0 * MBIT), [2]);
        assert_eq!(pauses(2.0 * MBIT), [2, 3]);
        assert_eq!(pauses(1.5 * MBIT), [2, 3, 4]);
        assert_eq!(pauses(0.1 * MBIT), [2, 3, 4, 5, 6]);
    }

    #[test]
    fn a_short_queue_is_none_and_a_pause_has_time_to_settle() {
        let (mut path, now) = (Path::default(), Instant::now());
        assert!(!path.is_due(now, MBIT, queue(MBIT, SHORT)));
        assert!(path.is_due(now, MBIT, queue(MBIT, LONG * 2)));
        path.decide(now, MBIT, &mut meeting());
        assert!(!path.is_due(now + SETTLE / 2, MBIT, queue(MBIT, LONG * 2)));
        assert!(path.is_due(now + SETTLE, MBIT, queue(MBIT, LONG * 2)));
    }

    #[test]
    fn flows_come_back_one_by_one_the_important_first_and_ever_later_after_failures() {
        let (mut path, start) = (Path::default(), Instant::now());
        let mut flows = meeting();
        for flow in flows.iter_mut().filter(|flow| flow.flow != 1) {
            flow.paused = true;
        }
        assert!(!path.is_due(start, MBIT, 0));
        let mut now = start + FIRST_WAIT;
        for expected in [6, 5] {
            assert!(path.is_due(now, MBIT, 0));
            let verdicts = path.decide(now, MBIT, &mut flows);
            assert_eq!(verdicts, [Verdict::Resume(expected)]);
            flows
                .iter_mut()
                .find(|f| f.flow == expected)
                .unwrap()
                .paused = false;
            assert!(!path.is_due(now + FIRST_WAIT / 2, MBIT, 0));
            now += FIRST_WAIT;
        }
        // The last try was too much.
        assert!(path.is_due(now, MBIT, queue(MBIT, LONG * 2)));
        assert!(!path.decide(now, MBIT, &mut flows.clone()).is_empty());
        now += SETTLE;
        assert!(!path.is_due(now, MBIT, 0));
        assert!(!path.is_due(now + FIRST_WAIT, MBIT, 0));
        assert!(path.is_due(now + FIRST_WAIT * 2, MBIT, 0));
    }
}
