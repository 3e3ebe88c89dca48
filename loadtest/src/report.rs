//! The report of a run: figures for programs (JSON), and a table for people.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::crew::Raw;
use crate::node::Figures;
use crate::outcome::{Outcome, Times};
use crate::playback::Shown;
use crate::tally::{Counts, Delays};

/// All figures of a run.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    pub scenario: String,
    pub people: usize,
    /// How many had media up.
    pub joined: usize,
    /// Why others had not, and how many.
    pub failures: BTreeMap<String, usize>,
    pub seconds: f64,
    /// Milliseconds from the start of a join to each of its stations.
    pub join: Vec<Station>,
    pub audio: Stream,
    pub video: Stream,
    /// Cameras wanted at the end, over all bots, and those whose packets came.
    pub cameras_wanted: usize,
    pub cameras_seen: usize,
    /// What decoders made of it, over all slots.
    pub shown: Shown,
    /// Time that pictures stood still, in percent of the time of all cameras seen.
    pub frozen_percent: f64,
    /// Slots that nodes had paused at the end, as the path could not carry them.
    pub paused: usize,
    pub keyframes_asked: u64,
    pub keyframes_sent: u64,
    /// Camera layers that were encoded at the end, and all that there are.
    pub layers_encoded: usize,
    pub layers: usize,
    /// What nodes say of the way to each bot: the median of their estimates in bit/s, and of the scores for audio.
    pub estimate_p50: Option<f64>,
    pub score_p50: Option<f64>,
    /// From the sending bot's to the receiving bot's clock, which are one; bots' own waiting included.
    pub delay_p50_ms: Option<f64>,
    pub delay_p95_ms: Option<f64>,
    /// What passing from one node to another adds to it.
    pub hop: Option<Hop>,
    pub renegotiations: u64,
    pub links_lost: usize,
    /// Packets that the bots' own machine would not send.
    pub unsent: u64,
    pub nodes: Vec<Figures>,
}

/// A station of joining.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Station {
    pub name: &'static str,
    /// How many got there.
    pub count: usize,
    pub p50_ms: f64,
    pub p95_ms: f64,
}

/// What was received of one kind.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stream {
    #[serde(flatten)]
    pub counts: Counts,
    pub loss_percent: f64,
}

/// What passing from one node to another adds to the delay: the quantiles of those to whom it comes that way less those of
/// viewers on the senders' own node, in the same run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Hop {
    pub p50_ms: f64,
    pub p95_ms: f64,
}

impl Hop {
    /// Of these bots, of which some are away; `None` if either received nothing.
    pub fn of(outcomes: &[Outcome], is_away: impl Fn(usize) -> bool) -> Option<Self> {
        let (mut near, mut far) = (Delays::default(), Delays::default());
        for (number, outcome) in outcomes.iter().enumerate() {
            let side = if is_away(number) { &mut far } else { &mut near };
            side.add(&outcome.received.delay);
        }
        let added = |share| Some(far.quantile(share)? - near.quantile(share)?);
        Some(Self {
            p50_ms: added(0.5)?,
            p95_ms: added(0.95)?,
        })
    }
}

impl Report {
    /// Sums up a run.
    pub fn of(scenario: &str, raw: &Raw) -> Self {
        let outcomes = &raw.outcomes;
        let (mut audio, mut video, mut delay) =
            (Counts::default(), Counts::default(), Delays::default());
        let mut failures = BTreeMap::new();
        for outcome in outcomes {
            audio.add(&outcome.received.audio);
            video.add(&outcome.received.video);
            delay.add(&outcome.received.delay);
            if let Some(failure) = &outcome.failure {
                *failures.entry(failure.clone()).or_insert(0) += 1;
            }
        }
        let sum = |of: fn(&Outcome) -> u64| outcomes.iter().map(of).sum();
        let stream = |counts: Counts| Stream {
            loss_percent: counts.loss_percent(),
            counts,
        };
        let mut shown = Shown::default();
        outcomes.iter().for_each(|o| shown.add(&o.received.shown));
        let cameras_seen = outcomes.iter().map(|o| o.received.senders).sum();
        let seconds = raw.measured.as_secs_f64();
        let watched_ms = cameras_seen as f64 * seconds * 1_000.0;
        let qualities = outcomes.iter().filter_map(|o| o.quality);
        let delivered = audio.received + video.received;
        let nodes = raw.samples.iter();
        Self {
            scenario: scenario.to_owned(),
            people: outcomes.len(),
            joined: outcomes
                .iter()
                .filter(|outcome| outcome.times.connected.is_some())
                .count(),
            failures,
            seconds,
            join: stations(outcomes),
            audio: stream(audio),
            video: stream(video),
            cameras_wanted: outcomes.iter().map(|outcome| outcome.wanted).sum(),
            cameras_seen,
            shown,
            frozen_percent: shown.frozen_ms as f64 * 100.0 / watched_ms.max(1.0),
            paused: outcomes.iter().map(|outcome| outcome.paused).sum(),
            layers_encoded: outcomes.iter().map(|o| o.layers_encoded).sum(),
            layers: outcomes.iter().map(|outcome| outcome.layers).sum(),
            estimate_p50: median(qualities.clone().map(|q| q.estimate.into())),
            score_p50: median(qualities.map(|q| q.score.into())),
            keyframes_asked: sum(|outcome| outcome.keyframes_asked),
            keyframes_sent: sum(|outcome| outcome.keyframes_sent),
            delay_p50_ms: delay.quantile(0.5),
            delay_p95_ms: delay.quantile(0.95),
            hop: None,
            renegotiations: sum(|outcome| outcome.renegotiations),
            links_lost: outcomes.iter().filter(|outcome| outcome.link_lost).count(),
            unsent: sum(|outcome| outcome.unsent),
            nodes: nodes
                .map(|(node, samples)| Figures::of(node, samples, delivered))
                .collect(),
        }
    }

    /// Whether everybody joined and stayed.
    pub fn all_joined(&self) -> bool {
        self.failures.is_empty() && self.joined == self.people
    }
}

fn stations(outcomes: &[Outcome]) -> Vec<Station> {
    type Of = fn(&Times) -> Option<Duration>;
    let stations: [(&str, Of); 6] = [
        ("admitted", |times| times.asked),
        ("signaling open", |times| times.opened),
        ("answered", |times| times.answered),
        ("media up", |times| times.connected),
        ("first audio", |times| times.audio),
        ("first video", |times| times.video),
    ];
    let station = |(name, of): (&'static str, Of)| {
        let reached = outcomes.iter().filter_map(|outcome| of(&outcome.times));
        let mut times: Vec<f64> = reached.map(|time| time.as_secs_f64() * 1_000.0).collect();
        times.sort_by(f64::total_cmp);
        Some(Station {
            name,
            count: times.len(),
            p50_ms: quantile(&times, 0.5)?,
            p95_ms: quantile(&times, 0.95)?,
        })
    };
    stations.into_iter().filter_map(station).collect()
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    quantile(&sorted, 0.5)
}

/// The smallest of sorted values that this share of them does not exceed.
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}: {} of {} people had media, measured for {:.1} s",
            self.scenario, self.joined, self.people, self.seconds
        )?;
        for (failure, count) in &self.failures {
            writeln!(f, "  {count} × {failure}")?;
        }
        writeln!(f, "\n  {:<24}{:>10}{:>10}", "joining, ms", "p50", "p95")?;
        for station in &self.join {
            let Station {
                name,
                p50_ms,
                p95_ms,
                ..
            } = station;
            writeln!(f, "  {name:<24}{p50_ms:>10.1}{p95_ms:>10.1}")?;
        }
        writeln!(
            f,
            "\n  {:<24}{:>12}{:>12}{:>10}{:>8}{:>14}",
            "received", "expected", "received", "loss, %", "gaps", "longest, ms"
        )?;
        for (name, stream) in [("audio", &self.audio), ("video", &self.video)] {
            let Counts {
                expected,
                received,
                gaps,
                longest_gap_ms,
            } = stream.counts;
            writeln!(
                f,
                "  {name:<24}{expected:>12}{received:>12}{:>10.3}{gaps:>8}{longest_gap_ms:>14}",
                stream.loss_percent
            )?;
        }
        self.fmt_cameras(f)?;
        if let (Some(p50), Some(p95)) = (self.delay_p50_ms, self.delay_p95_ms) {
            writeln!(
                f,
                "  delay from bot to bot p50 {p50:.1} ms, p95 {p95:.1} ms"
            )?;
        }
        if let Some(Hop { p50_ms, p95_ms }) = self.hop {
            writeln!(
                f,
                "  the hop between the nodes adds p50 {p50_ms:.1} ms, p95 {p95_ms:.1} ms"
            )?;
        }
        self.fmt_nodes(f)
    }
}

impl Report {
    fn fmt_cameras(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = &self.shown;
        writeln!(
            f,
            "\n  cameras wanted {}, seen {}, paused {}; layers encoded {} of {}; keyframes asked {}, sent {}",
            self.cameras_wanted,
            self.cameras_seen,
            self.paused,
            self.layers_encoded,
            self.layers,
            self.keyframes_asked,
            self.keyframes_sent,
        )?;
        writeln!(
            f,
            "  frames {}, freezes {} ({:.2}% of the time, longest {} ms); switches of slot {}, of layer {}; stuck {}",
            shown.frames,
            shown.freezes,
            self.frozen_percent,
            shown.longest_freeze_ms,
            shown.slot_switches,
            shown.layer_switches,
            shown.keyframes_asked,
        )?;
        if let (Some(estimate), Some(score)) = (self.estimate_p50, self.score_p50) {
            let estimate = estimate / 1_000.0;
            writeln!(
                f,
                "  nodes say: estimate p50 {estimate:.0} kbit/s, score p50 {score:.1}"
            )?;
        }
        writeln!(
            f,
            "  sessions made anew {}; links lost {}; unsent {}",
            self.renegotiations, self.links_lost, self.unsent
        )
    }

    fn fmt_nodes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nodes.is_empty() {
            return Ok(());
        }
        writeln!(
            f,
            "\n  {:<16}{:>10}{:>10}{:>10}{:>10}{:>12}{:>10}{:>14}",
            "node",
            "in/s",
            "out/s",
            "relay/s",
            "µs/packet",
            "/s per core",
            "system, %",
            "KiB/session"
        )?;
        for node in &self.nodes {
            let per_second = |count: u64| count as f64 / node.seconds.max(f64::EPSILON);
            let or_dash = |value: Option<f64>, digits: usize| {
                value.map_or("-".into(), |value| format!("{value:.digits$}"))
            };
            writeln!(
                f,
                "  {:<16}{:>10.0}{:>10.0}{:>10.0}{:>10}{:>12}{:>10}{:>14}",
                node.node,
                per_second(node.packets_in),
                node.packets_per_second,
                per_second(node.relayed_out),
                or_dash(node.microseconds_per_packet, 2),
                or_dash(node.packets_per_core_second, 0),
                or_dash(node.system_share.map(|share| share * 100.0), 0),
                or_dash(
                    node.memory_per_session_bytes
                        .map(|bytes| bytes as f64 / 1024.0),
                    0
                ),
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tally::Received;

    fn outcome(connected: Option<u64>, received: u64) -> Outcome {
        Outcome {
            times: Times {
                connected: connected.map(Duration::from_millis),
                ..Times::default()
            },
            failure: connected.is_none().then(|| "no node".into()),
            received: Received {
                video: Counts {
                    expected: 100,
                    received,
                    gaps: 1,
                    longest_gap_ms: received,
                },
                ..Received::default()
            },
            ..Outcome::default()
        }
    }

    #[test]
    fn a_hop_adds_what_those_beyond_it_wait_for_longer() {
        let with = |milliseconds: &[u32]| {
            let mut outcome = outcome(Some(1), 1);
            for delay in milliseconds {
                outcome.received.delay.note(delay * 1_000);
            }
            outcome
        };
        let bots = [with(&[]), with(&[1, 2, 3]), with(&[3, 5, 9])];
        let hop = Hop::of(&bots, |number| number == 2).unwrap();
        assert!((hop.p50_ms - 3.0).abs() < 1e-9 && (hop.p95_ms - 6.0).abs() < 1e-9);
        assert_eq!(Hop::of(&bots[..2], |number| number == 2), None);
    }

    #[test]
    fn a_report_sums_up_its_bots() {
        let raw = Raw {
            outcomes: vec![
                outcome(Some(30), 100),
                outcome(Some(10), 98),
                outcome(Some(20), 99),
                outcome(None, 100),
            ],
            measured: Duration::from_secs(10),
            samples: Vec::new(),
        };
        let report = Report::of("meeting", &raw);
        assert_eq!((report.people, report.joined), (4, 3));
        assert!(!report.all_joined());
        assert_eq!(report.failures["no node"], 1);
        assert_eq!(report.join.len(), 1);
        assert_eq!((report.join[0].p50_ms, report.join[0].p95_ms), (20.0, 30.0));
        assert_eq!(report.video.counts.expected, 400);
        assert!((report.video.loss_percent - 0.75).abs() < 1e-9);
        assert_eq!(report.video.counts.longest_gap_ms, 100);
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["video"]["lossPercent"], 0.75);
        assert_eq!(json["video"]["received"], 397);
        let table = report.to_string();
        assert!(
            table.contains("3 of 4 people") && table.contains("1 × no node"),
            "{table}"
        );
    }
}
