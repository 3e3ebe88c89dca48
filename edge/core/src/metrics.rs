//! Counts and distributions, and the page on which Prometheus reads them (its text format, version 0.0.4).
//!
//! Isolates of the Worker come and go, and none knows of the others. Each tells what it has counted since it told last to a
//! shard ([`SHARDS`]), and the page has each shard's sums by themselves: one that starts anew counts from zero, as Prometheus
//! expects it of any process that does.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::{Deserialize, Serialize};

/// How many objects are told.
pub const SHARDS: u32 = 4;
/// Most series that are counted at once. What would be one more is left out.
const MAX_SERIES: usize = 1_024;
/// The upper bounds of distributions, in milliseconds.
const BOUNDS: [u64; 12] = [
    5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000,
];

/// What is counted, by the name of its family and its labels.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    counters: BTreeMap<String, u64>,
    distributions: BTreeMap<String, Distribution>,
}

/// Times, in milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Distribution {
    /// How many were above the bound before and at most at this one; the last has no bound.
    buckets: [u64; BOUNDS.len() + 1],
    sum: u64,
}

/// A family of series: what it is called and what it says.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    pub name: &'static str,
    pub help: &'static str,
}

/// Everything that is counted.
pub const COUNTERS: [Family; 11] = [
    Family {
        name: "connect_edge_requests_total",
        help: "Answered requests, by route, method and status.",
    },
    Family {
        name: "connect_edge_refusals_total",
        help: "Refused requests and messages, by kind.",
    },
    Family {
        name: "connect_edge_sockets_opened_total",
        help: "WebSockets to rooms and regions that were opened, by who is at the other end.",
    },
    Family {
        name: "connect_edge_sockets_closed_total",
        help: "WebSockets to rooms and regions that were closed, by who was at the other end.",
    },
    Family {
        name: "connect_edge_messages_total",
        help: "Messages over WebSockets, by who sent them.",
    },
    Family {
        name: "connect_edge_assignments_total",
        help: "What regions answered to rooms that sought a node: node, nobody or unknown.",
    },
    Family {
        name: "connect_edge_joins_total",
        help: "Joins by what they came to, as clients tell it: joined, failed or given-up.",
    },
    Family {
        name: "connect_edge_faults_total",
        help: "Faults of the platform or of ours; the log says which.",
    },
    Family {
        name: "connect_edge_webhooks_lost_total",
        help: "Events for webhooks that rooms gave up: nobody took them for a day.",
    },
    Family {
        name: "connect_edge_spans_exported_total",
        help: "Spans that the collector has taken.",
    },
    Family {
        name: "connect_edge_spans_dropped_total",
        help: "Spans that no collector took.",
    },
];
pub const DISTRIBUTIONS: [Family; 2] = [
    Family {
        name: "connect_edge_request_duration_seconds",
        help: "From a request to its answer, by route.",
    },
    Family {
        name: "connect_edge_join_duration_seconds",
        help: "From the click to the first decoded frame, or where nobody sends pictures until media flows, as clients tell it.",
    },
];
pub const GAUGES: [Family; 2] = [
    Family {
        name: "connect_edge_rooms",
        help: "Rooms with somebody in them.",
    },
    Family {
        name: "connect_edge_people",
        help: "People in all rooms.",
    },
];

impl Counts {
    /// Nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.counters.is_empty() && self.distributions.is_empty()
    }

    /// Counts so many more.
    pub fn add(&mut self, name: &str, labels: &[(&str, &str)], by: u64) {
        add(&mut self.counters, series(name, labels), by);
    }

    /// Takes a time into account.
    pub fn observe(&mut self, name: &str, labels: &[(&str, &str)], ms: u64) {
        let mut one = Distribution::default();
        one.buckets[BOUNDS.partition_point(|bound| *bound < ms)] = 1;
        one.sum = ms;
        merge(&mut self.distributions, series(name, labels), &one);
    }

    /// Adds what somebody else has counted.
    pub fn merge(&mut self, other: &Self) {
        for (series, count) in &other.counters {
            add(&mut self.counters, series.clone(), *count);
        }
        for (series, more) in &other.distributions {
            merge(&mut self.distributions, series.clone(), more);
        }
    }
}

fn add(counters: &mut BTreeMap<String, u64>, series: String, by: u64) {
    if counters.len() < MAX_SERIES || counters.contains_key(&series) {
        *counters.entry(series).or_default() += by;
    }
}

fn merge(all: &mut BTreeMap<String, Distribution>, series: String, more: &Distribution) {
    if all.len() < MAX_SERIES || all.contains_key(&series) {
        let one = all.entry(series).or_default();
        for (bucket, more) in one.buckets.iter_mut().zip(more.buckets) {
            *bucket += more;
        }
        one.sum += more.sum;
    }
}

/// A series as it is named on the page, without its braces: `name,label="value"`. Values are words of ours.
fn series(name: &str, labels: &[(&str, &str)]) -> String {
    let mut series = name.to_owned();
    for (label, value) in labels {
        let value = value.replace(['\\', '"', '\n'], "");
        // Writing to a string does not fail.
        let _ = write!(series, ",{label}=\"{value}\"");
    }
    series
}

/// The page: what each shard was told, and how it is now.
pub fn page(shards: &[(u32, Counts)], gauges: [u64; GAUGES.len()]) -> String {
    let mut page = String::new();
    for (family, value) in GAUGES.iter().zip(gauges) {
        head(&mut page, family, "gauge");
        line(&mut page, family.name, "", &[], &value.to_string());
    }
    for family in &COUNTERS {
        head(&mut page, family, "counter");
        for (shard, counts) in shards {
            for (labels, count) in of(&counts.counters, family) {
                let shard = shard.to_string();
                let more = [("shard", shard.as_str())];
                line(&mut page, family.name, labels, &more, &count.to_string());
            }
        }
    }
    for family in &DISTRIBUTIONS {
        head(&mut page, family, "histogram");
        for (shard, counts) in shards {
            for (labels, distribution) in of(&counts.distributions, family) {
                distribution.write(&mut page, family.name, labels, &shard.to_string());
            }
        }
    }
    page
}

impl Distribution {
    fn write(&self, page: &mut String, name: &str, labels: &str, shard: &str) {
        let mut count = 0;
        let bounds = BOUNDS.iter().map(|bound| seconds(*bound));
        let bucket = format!("{name}_bucket");
        for (in_it, bound) in self.buckets.iter().zip(bounds.chain(["+Inf".to_owned()])) {
            count += in_it;
            let more = [("shard", shard), ("le", bound.as_str())];
            line(page, &bucket, labels, &more, &count.to_string());
        }
        let more = [("shard", shard)];
        let sum = seconds(self.sum);
        line(page, &format!("{name}_sum"), labels, &more, &sum);
        line(
            page,
            &format!("{name}_count"),
            labels,
            &more,
            &count.to_string(),
        );
    }
}

fn seconds(ms: u64) -> String {
    (ms as f64 / 1_000.0).to_string()
}

/// The series of a family, by their labels.
fn of<'a, T>(all: &'a BTreeMap<String, T>, family: &Family) -> Vec<(&'a str, &'a T)> {
    let labels = |series: &'a String| {
        let (name, labels) = series.split_once(',').unwrap_or((series, ""));
        (name == family.name).then_some(labels)
    };
    all.iter()
        .filter_map(|(series, value)| Some((labels(series)?, value)))
        .collect()
}

fn head(page: &mut String, Family { name, help }: &Family, kind: &str) {
    let _ = writeln!(page, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn line(page: &mut String, name: &str, labels: &str, more: &[(&str, &str)], value: &str) {
    let more = more
        .iter()
        .map(|(label, value)| format!("{label}=\"{value}\""));
    let all: Vec<String> = Some(labels.to_owned())
        .filter(|labels| !labels.is_empty())
        .into_iter()
        .chain(more)
        .collect();
    let _ = match all.is_empty() {
        true => writeln!(page, "{name} {value}"),
        false => writeln!(page, "{name}{{{}}} {value}", all.join(",")),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUESTS: &str = "connect_edge_requests_total";
    const DURATION: &str = "connect_edge_request_duration_seconds";

    #[test]
    fn what_isolates_have_counted_is_one_sum_for_each_shard() {
        let mut here = Counts::default();
        assert!(here.is_empty());
        here.add(REQUESTS, &[("route", "/api/rooms"), ("status", "200")], 2);
        let mut there = Counts::default();
        there.add(REQUESTS, &[("route", "/api/rooms"), ("status", "200")], 3);
        there.add(REQUESTS, &[("route", "other"), ("status", "404")], 1);
        let told = serde_json::to_string(&there).unwrap();
        here.merge(&serde_json::from_str(&told).unwrap());
        let page = page(&[(0, here), (1, Counts::default())], [2, 7]);
        for line in [
            "connect_edge_rooms 2\n",
            "connect_edge_people 7\n",
            "# TYPE connect_edge_requests_total counter\n",
            "connect_edge_requests_total{route=\"/api/rooms\",status=\"200\",shard=\"0\"} 5\n",
            "connect_edge_requests_total{route=\"other\",status=\"404\",shard=\"0\"} 1\n",
        ] {
            assert!(page.contains(line), "{line} is not in\n{page}");
        }
    }

    #[test]
    fn a_distribution_counts_up_to_each_bound() {
        let mut counts = Counts::default();
        for ms in [0, 5, 6, 40_000] {
            counts.observe(DURATION, &[("route", "other")], ms);
        }
        let page = page(&[(3, counts)], [0, 0]);
        for (le, count) in [("0.005", 2), ("0.01", 3), ("30", 3), ("+Inf", 4)] {
            let labels = format!("route=\"other\",shard=\"3\",le=\"{le}\"");
            let line = format!("{DURATION}_bucket{{{labels}}} {count}\n");
            assert!(page.contains(&line), "{line} is not in\n{page}");
        }
        assert!(page.contains("_sum{route=\"other\",shard=\"3\"} 40.011\n"));
        assert!(page.contains("_count{route=\"other\",shard=\"3\"} 4\n"));
    }

    #[test]
    fn more_series_than_anybody_needs_are_left_out() {
        let mut counts = Counts::default();
        for kind in 0..=MAX_SERIES {
            counts.add(REQUESTS, &[("kind", &kind.to_string())], 1);
        }
        assert_eq!(counts.counters.len(), MAX_SERIES);
    }

    #[test]
    fn no_value_of_a_label_is_a_line_of_its_own() {
        assert_eq!(series("n", &[("l", "a\"\n\\b")]), "n,l=\"ab\"");
    }
}
