//! Whether a queue builds up on the path: groups of packets, the trend of their delay, a threshold that adapts
//! (draft-ietf-rmcat-gcc-02, 5.1 to 5.4, with a least-squares trend in place of the Kalman filter).

use super::Micros;

/// Packets sent within this time are one group (gcc-02, 5.2): a burst says nothing about the path between its packets.
const GROUP: Micros = 5_000;
/// Packets that arrive as close as this behind one another, closer than they were sent, belong to one group, too: some
/// link has held them back together …
const ARRIVAL_BURST: Micros = 5_000;
/// … but for no longer than this.
const MAX_ARRIVAL_BURST: Micros = 100_000;
/// A larger jump between the clocks is no queue: a device that slept, a clock that was set.
const MAX_JUMP: Micros = 3_000_000;

/// Groups that the trend is fitted to. At video's rates that is a quarter of a second.
const POINTS: usize = 20;
/// Share of the old value in the smoothed delay.
const SMOOTHING: f64 = 0.9;
/// The slope is counted up to so many groups: with few of them it says less.
const MAX_COUNTED: u32 = 60;
/// Scales the slope to the range of the threshold, which is in milliseconds.
const GAIN: f64 = 4.0;

/// The threshold at the start, and its range (gcc-02, 5.4), in milliseconds.
const THRESHOLD: f64 = 12.5;
const MIN_THRESHOLD: f64 = 6.0;
const MAX_THRESHOLD: f64 = 600.0;
/// How fast the threshold follows upward and downward, per millisecond: upward slowly, so that a queue that grows is
/// noticed before the threshold has got used to it, and yet at all, so that a flow that fills queues does not starve us;
/// downward faster, so that one such flow does not make us deaf.
const FOLLOW_UP: f64 = 0.0087;
const FOLLOW_DOWN: f64 = 0.039;
/// A trend further above the threshold than this is a spike, and no reason to adapt.
const MAX_ADAPT: f64 = 15.0;
/// How long a trend must stand before it counts, in milliseconds.
const OVERUSE_TIME: f64 = 10.0;

/// What the path's queue does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Usage {
    #[default]
    Normal,
    /// It grows.
    Over,
    /// It empties.
    Under,
}

#[derive(Debug, Clone, Copy)]
struct Group {
    first_sent: Micros,
    last_sent: Micros,
    first_arrival: Micros,
    last_arrival: Micros,
}

impl Group {
    fn takes(&self, sent: Micros, arrival: Micros) -> bool {
        if sent - self.first_sent <= GROUP {
            return true;
        }
        let arrival_step = arrival - self.last_arrival;
        arrival_step - (sent - self.last_sent) < 0
            && arrival_step <= ARRIVAL_BURST
            && arrival - self.first_arrival < MAX_ARRIVAL_BURST
    }
}

/// The delay's trend over the last groups.
#[derive(Debug)]
pub struct Trend {
    group: Option<Group>,
    previous: Option<Group>,
    /// Arrival time and smoothed delay in milliseconds, by group number.
    points: [(f64, f64); POINTS],
    groups: u32,
    first_arrival: Micros,
    delay: f64,
    smoothed: f64,
    slope: f64,
    threshold: f64,
    adapted: Option<Micros>,
    /// For how long the trend has been above the threshold, in milliseconds, and for how many groups.
    above: Option<(f64, u32)>,
    usage: Usage,
}

impl Default for Trend {
    fn default() -> Self {
        Self {
            group: None,
            previous: None,
            points: [(0.0, 0.0); POINTS],
            groups: 0,
            first_arrival: 0,
            delay: 0.0,
            smoothed: 0.0,
            slope: 0.0,
            threshold: THRESHOLD,
            adapted: None,
            above: None,
            usage: Usage::Normal,
        }
    }
}

impl Trend {
    /// What the queue does, as far as is known.
    pub fn usage(&self) -> Usage {
        self.usage
    }

    /// A packet that was sent and has arrived, each by its side's clock. Packets come in the order they were sent in.
    pub fn add(&mut self, sent: Micros, arrival: Micros) {
        let Some(group) = &mut self.group else {
            self.start(sent, arrival);
            return;
        };
        if sent < group.first_sent {
            // Reported late, because it came late: it was another group's.
            return;
        }
        if group.takes(sent, arrival) {
            group.last_sent = group.last_sent.max(sent);
            group.last_arrival = group.last_arrival.max(arrival);
            return;
        }
        let ended = *group;
        if let Some(previous) = self.previous {
            let sent_step = ended.last_sent - previous.last_sent;
            let arrival_step = ended.last_arrival - previous.last_arrival;
            if (arrival_step - sent_step).abs() > MAX_JUMP {
                *self = Self {
                    threshold: self.threshold,
                    ..Self::default()
                };
                self.start(sent, arrival);
                return;
            }
            // A group overtaken by the one after it tells nothing.
            if arrival_step >= 0 {
                self.update(sent_step, arrival_step, ended.last_arrival);
            }
        }
        self.previous = Some(ended);
        self.start(sent, arrival);
    }

    fn start(&mut self, sent: Micros, arrival: Micros) {
        self.group = Some(Group {
            first_sent: sent,
            last_sent: sent,
            first_arrival: arrival,
            last_arrival: arrival,
        });
    }

    fn update(&mut self, sent_step: Micros, arrival_step: Micros, arrival: Micros) {
        if self.groups == 0 {
            self.first_arrival = arrival;
        }
        self.delay += (arrival_step - sent_step) as f64 / 1e3;
        self.smoothed = SMOOTHING * self.smoothed + (1.0 - SMOOTHING) * self.delay;
        let at = (arrival - self.first_arrival) as f64 / 1e3;
        self.points[self.groups as usize % POINTS] = (at, self.smoothed);
        self.groups = self.groups.wrapping_add(1).max(1);

        let before = self.slope;
        if self.groups as usize >= POINTS {
            self.slope = slope(&self.points).unwrap_or(before);
        }
        self.detect(sent_step as f64 / 1e3, before);
        let trend = self.trend();
        self.adapt(trend, arrival);
    }

    fn trend(&self) -> f64 {
        f64::from(self.groups.min(MAX_COUNTED)) * self.slope * GAIN
    }

    fn detect(&mut self, step: f64, slope_before: f64) {
        let trend = self.trend();
        if trend > self.threshold {
            // The first group above stands for half of its time: the trend crossed the threshold somewhere in it.
            let (time, count) = self
                .above
                .map_or((step / 2.0, 1), |(t, n)| (t + step, n + 1));
            self.above = Some((time, count));
            if time > OVERUSE_TIME && count > 1 && self.slope >= slope_before {
                self.above = Some((0.0, 0));
                self.usage = Usage::Over;
            }
        } else {
            self.above = None;
            self.usage = if trend < -self.threshold {
                Usage::Under
            } else {
                Usage::Normal
            };
        }
    }

    fn adapt(&mut self, trend: f64, now: Micros) {
        let passed = self.adapted.map_or(0, |at| now - at).clamp(0, 100_000) as f64 / 1e3;
        self.adapted = Some(now);
        let trend = trend.abs();
        if trend > self.threshold + MAX_ADAPT {
            return;
        }
        let follow = if trend < self.threshold {
            FOLLOW_DOWN
        } else {
            FOLLOW_UP
        };
        self.threshold += follow * (trend - self.threshold) * passed;
        self.threshold = self.threshold.clamp(MIN_THRESHOLD, MAX_THRESHOLD);
    }
}

/// The slope of the line that lies closest to the points.
fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let n = points.len() as f64;
    let (sum_x, sum_y) = points
        .iter()
        .fold((0.0, 0.0), |(x, y), point| (x + point.0, y + point.1));
    let (mean_x, mean_y) = (sum_x / n, sum_y / n);
    let (mut up, mut down) = (0.0, 0.0);
    for (x, y) in points {
        up += (x - mean_x) * (y - mean_y);
        down += (x - mean_x) * (x - mean_x);
    }
    (down > 0.0).then(|| up / down)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Micros = 1_000;

    /// Sends a group each 20 ms, whose delay follows from its number; returns what was found after each.
    fn run(trend: &mut Trend, from: i64, to: i64, delay: impl Fn(i64) -> Micros) -> Vec<Usage> {
        (from..to)
            .map(|n| {
                let sent = n * 20 * MS;
                // The receiver's clock is an hour off.
                trend.add(sent, sent + 3_600_000 * MS + delay(n));
                trend.usage()
            })
            .collect()
    }

    #[test]
    fn a_growing_queue_is_noticed_and_so_is_its_end() {
        let mut trend = Trend::default();
        let steady = run(&mut trend, 0, 100, |_| 30 * MS);
        assert!(steady.iter().all(|usage| *usage == Usage::Normal));
        // 5% too much: the queue grows by a millisecond each group.
        let growing = run(&mut trend, 100, 150, |n| 30 * MS + (n - 100) * MS);
        let noticed = growing.iter().position(|usage| *usage == Usage::Over);
        assert!(noticed.is_some_and(|n| n < 25), "{noticed:?}");
        let emptying = run(&mut trend, 150, 175, |n| 80 * MS - (n - 150) * 2 * MS);
        assert_eq!(emptying.last(), Some(&Usage::Under));
        let steady = run(&mut trend, 175, 250, |_| 30 * MS);
        assert_eq!(steady.last(), Some(&Usage::Normal));
    }

    #[test]
    fn jitter_is_no_queue() {
        let mut trend = Trend::default();
        let found = run(&mut trend, 0, 3_000, |n| 30 * MS + n * 7_919 % 11 * MS);
        let over = found.iter().filter(|usage| **usage == Usage::Over).count();
        assert!(over < 10, "{over}");
    }

    #[test]
    fn a_burst_held_back_by_a_link_is_one_group() {
        let mut trend = Trend::default();
        // Wi-Fi that delivers each 60 ms what came in the meantime.
        for n in 0..1_000 {
            let sent = n * 7 * MS;
            trend.add(sent, (sent / (60 * MS) + 1) * 60 * MS);
            assert_ne!(trend.usage(), Usage::Over, "{n}");
        }
        assert!(trend.groups < 150, "{}", trend.groups);
    }

    #[test]
    fn a_clock_that_jumps_starts_afresh() {
        let mut trend = Trend::default();
        run(&mut trend, 0, 100, |_| 0);
        let after = run(&mut trend, 100, 200, |_| 5_000 * MS);
        assert!(after.iter().all(|usage| *usage == Usage::Normal));
    }
}
