//! What was counted: of the edge, from the meter's lines in the Worker's log; of the media node, from the bots' report.

use std::collections::BTreeMap;
use std::fmt;

/// What the platform bills. Of nodes' heartbeats and what they lead to nothing is in it: a region has them with or without a call.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Counts {
    /// Requests to the Worker.
    pub requests: f64,
    /// Requests to objects, alarms among them; 20 messages of WebSockets are one.
    pub object_requests: f64,
    pub rows_read: f64,
    /// Alarms that were set among them.
    pub rows_written: f64,
    /// Objects that were made, or made again after a sleep.
    pub wake_ups: f64,
    /// In which objects had something to do, each by itself.
    pub active_seconds: f64,
}

impl Counts {
    /// Sums up the lines of the meter.
    pub fn of(log: &str) -> Self {
        let mut counts = Self::default();
        let mut active: BTreeMap<&str, Vec<(u64, u64)>> = BTreeMap::new();
        for line in log.lines().filter_map(|line| line.split_once("meter ")) {
            let words: Vec<&str> = line.1.split_whitespace().collect();
            match words[..] {
                ["request"] => counts.requests += 1.0,
                ["made", class, _] if class != FLEET => counts.wake_ups += 1.0,
                ["alarm-set", class] if class != FLEET => counts.rows_written += 1.0,
                ["event", class, id, kind, from, until, read, written] if class != FLEET => {
                    counts.object_requests += requests_of(kind);
                    counts.rows_read += number(read);
                    counts.rows_written += number(written);
                    let times = (number(from) as u64, number(until) as u64);
                    active.entry(id).or_default().push(times);
                }
                _ => {}
            }
        }
        counts.active_seconds = active.into_values().map(covered).sum::<u64>() as f64 / 1_000.0;
        counts
    }

    /// An hour, from two calls of which one was so many seconds longer.
    pub fn hour(short: &Self, long: &Self, longer: f64) -> Self {
        // What the shorter one took is what does not depend on time, and a little more.
        let all =
            |of: fn(&Self) -> f64| of(short) + (of(long) - of(short)).max(0.0) * 3_600.0 / longer;
        Self {
            requests: all(|it| it.requests),
            object_requests: all(|it| it.object_requests),
            rows_read: all(|it| it.rows_read),
            rows_written: all(|it| it.rows_written),
            wake_ups: all(|it| it.wake_ups),
            active_seconds: all(|it| it.active_seconds),
        }
    }

    /// Whether so many people can have joined: each by two requests and a WebSocket at least, with rows of their own.
    pub fn is_plausible(&self, people: u16) -> bool {
        let people = f64::from(people);
        self.requests >= 2.0 * people
            && self.object_requests >= 2.0 * people
            && self.rows_written >= people
            && self.rows_read >= people
            && self.active_seconds > 0.0
            && self.wake_ups >= 1.0
    }
}

/// The class of regions.
const FLEET: &str = "RegionObject";

/// What an event counts as.
fn requests_of(kind: &str) -> f64 {
    match kind {
        "fetch" | "alarm" => 1.0,
        "webSocketMessage" => 0.05,
        _ => 0.0,
    }
}

/// How many milliseconds spans cover together.
fn covered(mut spans: Vec<(u64, u64)>) -> u64 {
    spans.sort_unstable();
    let (mut sum, mut end) = (0, 0);
    for (from, until) in spans {
        sum += until.saturating_sub(from.max(end));
        end = end.max(until);
    }
    sum
}

fn number(word: &str) -> f64 {
    word.parse().unwrap_or(0.0)
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.0} requests, {:.1} requests of objects, {:.0} rows read, {:.0} written, {:.0} wake-ups, {:.2} s active",
            self.requests,
            self.object_requests,
            self.rows_read,
            self.rows_written,
            self.wake_ups,
            self.active_seconds
        )
    }
}

/// What the node did in a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Media {
    /// Sent to clients, without the headers of UDP and IP.
    pub bytes: f64,
    pub packets: f64,
    /// Seconds of a core.
    pub cpu: f64,
}

impl Media {
    /// From the report of the bots; none if it says nothing of a node.
    pub fn of(report: &str) -> Option<Self> {
        let (_, nodes) = report.split_once("\"nodes\"")?;
        let get = |name: &str| {
            let (_, rest) = nodes.split_once(&format!("\"{name}\":"))?;
            let digits = rest.trim_start().split([',', '\n', '}']).next()?;
            digits
                .trim()
                .parse::<f64>()
                .ok()
                .filter(|value| *value > 0.0)
        };
        let seconds = get("seconds")?;
        Some(Self {
            bytes: get("bytesOut")? / seconds,
            packets: get("packetsOut")? / seconds,
            cpu: get("cpuMicroseconds")? / 1e6 / seconds,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_meter_are_summed_up() {
        let log = "meter request\n{\"event\":\"request\"}\nmeter made RoomObject a\n\
                   meter event RoomObject a fetch 1000 1500 7 3\nmeter event RoomObject a waiting 1400 2000 1 0\n\
                   meter event RoomObject a webSocketMessage 3000 3010 0 1\nmeter event RegionObject r alarm 0 9 9 9\n\
                   meter event UserObject u fetch 1000 1010 2 0\nmeter alarm-set RoomObject\nmeter alarm-set RegionObject\n";
        let counts = Counts::of(log);
        assert_eq!((counts.requests, counts.object_requests), (1.0, 2.05));
        assert_eq!((counts.rows_read, counts.rows_written), (10.0, 5.0));
        assert_eq!((counts.wake_ups, counts.active_seconds), (1.0, 1.02));
        assert!(!counts.is_plausible(5) && !Counts::of("").is_plausible(1));
    }

    #[test]
    fn an_hour_is_what_is_fixed_and_what_is_not() {
        let of = |requests| Counts {
            requests,
            ..Counts::default()
        };
        assert_eq!(Counts::hour(&of(10.0), &of(16.0), 60.0).requests, 370.0);
        assert_eq!(Counts::hour(&of(10.0), &of(9.0), 60.0).requests, 10.0);
    }

    #[test]
    fn a_report_without_a_node_says_nothing() {
        let report = "{\"seconds\": 9, \"nodes\": [{\"packetsOut\": 20,\n\"bytesOut\": 4000, \"cpuMicroseconds\": 2000000, \"seconds\": 2.0\n}]}";
        let media = Media {
            bytes: 2_000.0,
            packets: 10.0,
            cpu: 1.0,
        };
        assert_eq!(Media::of(report), Some(media));
        assert_eq!(Media::of("{\"nodes\": []}"), None);
    }
}
