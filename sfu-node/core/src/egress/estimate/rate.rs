//! The rate that the delay allows: up while the path's queue is short, down when it grows (draft-ietf-rmcat-gcc-02, 5.5).

use super::trend::Usage;
use super::{MAX_BITRATE, MIN_BITRATE, Micros};

/// What is left of the measured throughput after a queue was noticed (gcc-02, 5.5: β): the queue must empty.
const BACKOFF: f64 = 0.85;
/// Growth each second while the link's capacity is unknown (gcc-02, 5.5: η).
const GROWTH: f64 = 1.08;
/// The estimate runs ahead of what is proven to arrive by no more than this factor and bitrate (gcc-02, 5.5), which lets
/// the smallest streams grow, too.
const AHEAD: f64 = 1.5;
const AHEAD_BITRATE: f64 = 10_000.0;
/// Slowest growth near the capacity, in bits per second each second.
const MIN_ADDITIVE: f64 = 4_000.0;
/// How long the detector and the receiver's feedback take beside the round trip.
const RESPONSE: Micros = 100_000;
/// Shortest and longest time between two decreases: the first one's effect must be seen, which takes a round trip.
const MIN_PAUSE: Micros = 10_000;
const MAX_PAUSE: Micros = 200_000;
/// Longest step of time that growth is reckoned for: feedback that stayed away proves nothing.
const MAX_STEP: Micros = 1_000_000;

/// A queue that holds packets up for longer than this does not empty by itself soon enough: less is sent until it has …
const LONG_QUEUE: Micros = 80_000;
/// … become as short as this …
const SHORT_QUEUE: Micros = 30_000;
/// … or for so long: if it does not empty then, it is others who fill it.
const MAX_DRAIN: Micros = 3_000_000;
/// So much less is sent that the queue is gone after this time, but no less than this share of what arrives.
const DRAIN_TIME: f64 = 1_500_000.0;
const MIN_DRAIN: f64 = 0.5;

/// What is known of the path, and what it asks for.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    pub usage: Usage,
    /// Throughput of late, bit/s.
    pub acknowledged: Option<u64>,
    /// The same over a shorter time: exact while a queue stands, since the link then sends without pause.
    pub acknowledged_now: Option<u64>,
    pub round_trip: Micros,
    /// Share of packets that the path loses by itself: they went through the bottleneck, and did not arrive.
    pub usual_loss: f64,
    /// How long packets wait in the queue now.
    pub standing: Micros,
    /// Far less is sent than may be, so that nothing is proven about more.
    pub limited: bool,
}

/// The delay-based controller.
#[derive(Debug)]
pub struct DelayRate {
    bitrate: f64,
    capacity: Capacity,
    /// When the rate was last reckoned anew, and when it was last lowered.
    updated: Option<Micros>,
    lowered: Option<Micros>,
    /// After a decrease, and while the queue empties, the rate stays as it is.
    hold: bool,
    drain: Option<Drain>,
}

/// A long queue is given time to empty.
#[derive(Debug, Clone, Copy)]
struct Drain {
    until: Micros,
    /// The rate to go on with, bit/s.
    resume: f64,
}

impl DelayRate {
    /// A controller that starts at this bitrate.
    pub fn new(bitrate: u64) -> Self {
        Self {
            bitrate: bitrate as f64,
            capacity: Capacity::default(),
            updated: None,
            lowered: None,
            hold: false,
            drain: None,
        }
    }

    /// The rate in bits per second.
    pub fn bitrate(&self) -> u64 {
        self.bitrate as u64
    }

    /// A probe, or who knows from elsewhere, has found this rate.
    pub fn set(&mut self, bitrate: u64) {
        self.bitrate = clamp(bitrate as f64);
        self.capacity.surpassed(self.bitrate);
        self.drain = None;
    }

    /// Goes by a feedback.
    pub fn update(&mut self, now: Micros, seen: &Seen) {
        let passed = self.updated.map_or(0, |at| now - at).clamp(0, MAX_STEP);
        self.updated = Some(now);
        if let Some(drain) = self.drain {
            if seen.standing <= SHORT_QUEUE || now >= drain.until {
                self.drain = None;
                self.bitrate = self.bitrate.max(drain.resume);
            } else if seen.usage != Usage::Over {
                return;
            }
        }
        match seen.usage {
            Usage::Over => self.lower(now, seen),
            Usage::Under => self.hold = true,
            Usage::Normal if self.hold => self.hold = false,
            Usage::Normal => self.raise(seen, passed),
        }
    }

    fn lower(&mut self, now: Micros, seen: &Seen) {
        self.hold = true;
        let Some(throughput) = seen.acknowledged_now.or(seen.acknowledged) else {
            // Before anything is measured the only thing known is that it is too much.
            if !self.may_lower(now, seen, f64::INFINITY) {
                return;
            }
            self.bitrate = clamp(self.bitrate / 2.0);
            self.lowered = Some(now);
            return;
        };
        let throughput = throughput as f64 / (1.0 - seen.usual_loss);
        if !self.may_lower(now, seen, throughput) {
            return;
        }
        let mut lowered = clamp(BACKOFF * throughput);
        self.capacity.measured(throughput);
        self.lowered = Some(now);
        if seen.standing > LONG_QUEUE {
            self.drain = Some(Drain {
                until: now + MAX_DRAIN,
                resume: lowered.min(self.bitrate),
            });
            let share = (BACKOFF - seen.standing as f64 / DRAIN_TIME).max(MIN_DRAIN);
            lowered = clamp(share * throughput);
        }
        self.bitrate = self.bitrate.min(lowered);
    }

    fn may_lower(&self, now: Micros, seen: &Seen, throughput: f64) -> bool {
        let pause = seen.round_trip.clamp(MIN_PAUSE, MAX_PAUSE);
        let paused = self.lowered.is_none_or(|at| now - at >= pause);
        paused || throughput < self.bitrate / 2.0
    }

    fn raise(&mut self, seen: &Seen, passed: Micros) {
        if let Some(throughput) = seen.acknowledged {
            self.capacity.surpassed(throughput as f64);
        }
        // What arrives, and makes no queue, need not be proven.
        let proven = BACKOFF * seen.acknowledged.unwrap_or(0) as f64;
        self.bitrate = self.bitrate.max(clamp(proven));
        if seen.limited {
            return;
        }
        let seconds = passed as f64 / 1e6;
        let raised = if self.capacity.is_near(self.bitrate) {
            self.bitrate + self.additive(seen.round_trip) * seconds
        } else {
            self.bitrate * GROWTH.powf(seconds) + 1_000.0 * seconds
        };
        let proven = seen.acknowledged.map_or(f64::INFINITY, |throughput| {
            AHEAD * throughput as f64 + AHEAD_BITRATE
        });
        // What was granted stays granted: the bound is for growth alone.
        self.bitrate = clamp(raised.min(proven.max(self.bitrate)));
    }

    /// Near the capacity: about one packet of an average size more each response time (gcc-02, 5.5).
    fn additive(&self, round_trip: Micros) -> f64 {
        const FRAMES_PER_SECOND: f64 = 30.0;
        const PACKET_BITS: f64 = 1_200.0 * 8.0;
        let frame = self.bitrate / FRAMES_PER_SECOND;
        let packet = frame / (frame / PACKET_BITS).ceil().max(1.0);
        let response = 2.0 * (round_trip + RESPONSE) as f64 / 1e6;
        (packet / response).max(MIN_ADDITIVE)
    }
}

fn clamp(bitrate: f64) -> f64 {
    bitrate.clamp(MIN_BITRATE as f64, MAX_BITRATE as f64)
}

/// The link's capacity as the throughput at the moments when its queue grew: mean and spread (gcc-02, 5.5).
#[derive(Debug, Default)]
struct Capacity {
    /// In kbit/s.
    mean: Option<f64>,
    /// Squared deviation, divided by the mean.
    spread: f64,
}

impl Capacity {
    /// Weight of a new measurement.
    const WEIGHT: f64 = 0.05;
    /// Range of the spread (kbit/s): some noise there is always; more than that is no estimate.
    const MIN_SPREAD: f64 = 0.4;
    const MAX_SPREAD: f64 = 2.5;

    fn measured(&mut self, bitrate: f64) {
        let sample = bitrate / 1e3;
        if self.mean.is_some_and(|_| !self.is_near(bitrate)) {
            self.mean = None;
        }
        let mean = match self.mean {
            None => sample,
            Some(mean) => mean + Self::WEIGHT * (sample - mean),
        };
        let error = mean - sample;
        let spread =
            (1.0 - Self::WEIGHT) * self.spread + Self::WEIGHT * error * error / mean.max(1.0);
        self.spread = spread.clamp(Self::MIN_SPREAD, Self::MAX_SPREAD);
        self.mean = Some(mean);
    }

    /// More than the capacity has arrived: it is another one now.
    fn surpassed(&mut self, bitrate: f64) {
        if self.range().is_some_and(|(_, highest)| bitrate > highest) {
            self.mean = None;
        }
    }

    fn is_near(&self, bitrate: f64) -> bool {
        self.range()
            .is_some_and(|(lowest, highest)| bitrate >= lowest && bitrate <= highest)
    }

    /// Three deviations around the mean, bit/s.
    fn range(&self) -> Option<(f64, f64)> {
        let mean = self.mean?;
        let deviation = 3.0 * (self.spread * mean).sqrt();
        Some(((mean - deviation) * 1e3, (mean + deviation) * 1e3))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Micros = 1_000;

    fn seen(usage: Usage, acknowledged: u64) -> Seen {
        Seen {
            usage,
            acknowledged: Some(acknowledged),
            acknowledged_now: Some(acknowledged),
            round_trip: 50 * MS,
            usual_loss: 0.0,
            standing: 0,
            limited: false,
        }
    }

    #[test]
    fn it_grows_by_eight_percent_a_second_until_a_queue_is_seen() {
        let mut rate = DelayRate::new(1_000_000);
        for n in 0..=50 {
            rate.update(n * 100 * MS, &seen(Usage::Normal, rate.bitrate()));
        }
        let grown = rate.bitrate() as f64 / 1e6;
        assert!((grown - 1.08_f64.powi(5)).abs() < 0.02, "{grown}");
    }

    #[test]
    fn it_runs_no_further_ahead_than_half_of_what_arrives() {
        let mut rate = DelayRate::new(1_000_000);
        for n in 0..=600 {
            rate.update(n * 100 * MS, &seen(Usage::Normal, 900_000));
        }
        assert_eq!(rate.bitrate(), 1_360_000);
    }

    #[test]
    fn a_queue_lowers_it_below_what_arrives_and_the_growth_after_it_is_slow() {
        let mut rate = DelayRate::new(3_000_000);
        rate.update(0, &seen(Usage::Normal, 1_000_000));
        rate.update(100 * MS, &seen(Usage::Over, 1_000_000));
        assert_eq!(rate.bitrate(), 850_000);
        // Not twice for one queue.
        rate.update(120 * MS, &seen(Usage::Over, 900_000));
        assert_eq!(rate.bitrate(), 850_000);
        rate.update(200 * MS, &seen(Usage::Under, 850_000));
        assert_eq!(rate.bitrate(), 850_000);
        for n in 3..60 {
            rate.update(n * 100 * MS, &seen(Usage::Normal, rate.bitrate()));
        }
        assert!(rate.bitrate() < 1_150_000, "{}", rate.bitrate());
    }

    #[test]
    fn a_long_queue_is_emptied_and_then_the_link_is_used_again() {
        let mut rate = DelayRate::new(3_000_000);
        let queue = |usage, ms| Seen {
            standing: ms * MS,
            ..seen(usage, 1_000_000)
        };
        rate.update(0, &queue(Usage::Over, 300));
        assert_eq!(rate.bitrate().div_ceil(1_000), 650);
        rate.update(300 * MS, &queue(Usage::Under, 150));
        rate.update(600 * MS, &queue(Usage::Normal, 60));
        assert_eq!(rate.bitrate().div_ceil(1_000), 650);
        rate.update(700 * MS, &queue(Usage::Normal, 20));
        assert_eq!(rate.bitrate(), 850_000);
    }

    #[test]
    fn who_sends_little_proves_nothing() {
        let mut rate = DelayRate::new(2_000_000);
        for n in 0..100 {
            let limited = Seen {
                limited: true,
                ..seen(Usage::Normal, 100_000)
            };
            rate.update(n * 100 * MS, &limited);
        }
        assert_eq!(rate.bitrate(), 2_000_000);
    }
}
