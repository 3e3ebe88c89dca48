//! What counts cost, by the table of prices in `docs/cost.md`.

use std::fmt::Write;

use super::count::{Counts, Media};
use crate::failure::{Failure, Result};

/// The page that has the prices, with the source and the date of each.
const PAGE: &str = include_str!("../../../docs/cost.md");
/// The memory that the platform bills an object for, in GB.
const MEMORY: f64 = 0.128;
/// The headers of UDP and IPv4, in bytes.
const HEADERS: f64 = 28.0;
/// How much of a core is used of what is paid for.
const USED: f64 = 0.5;
/// The share of people whose media goes through a TURN server, which sends all of it once more.
const RELAYED: f64 = 0.05;

/// Dollars for one of each.
pub struct Prices {
    request: f64,
    object_request: f64,
    duration: f64,
    row_read: f64,
    row_written: f64,
    relayed: f64,
    /// Name, an hour of a core, a GB sent.
    machines: Vec<(String, f64, f64)>,
}

impl Prices {
    /// As the page has them.
    pub fn of_the_docs() -> Result<Self> {
        Self::read(PAGE).ok_or_else(|| {
            Failure::new(
                "docs/cost.md lacks a price",
                "each line of its tables is needed",
            )
        })
    }

    fn read(page: &str) -> Option<Self> {
        let lines: Vec<Vec<&str>> = page
            .lines()
            .filter(|line| line.starts_with('|'))
            .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
            .collect();
        let dollars = |text: &str| text.strip_prefix('$')?.parse::<f64>().ok();
        let price = |name: &str| {
            let line = lines.iter().find(|line| line.first() == Some(&name))?;
            dollars(line.get(1)?)
        };
        let machines: Vec<_> = lines
            .iter()
            .filter_map(|line| match line[..] {
                [name, core, sent, _, _] => Some((name.to_owned(), dollars(core)?, dollars(sent)?)),
                _ => None,
            })
            .collect();
        Some(Self {
            request: price("a million requests of the Worker")? / 1e6,
            object_request: price("a million requests of objects")? / 1e6,
            duration: price("a million GB-seconds of objects")? / 1e6,
            row_read: price("a million rows read")? / 1e6,
            row_written: price("a million rows written")? / 1e6,
            relayed: price("a GB relayed by TURN")?,
            machines: (!machines.is_empty()).then_some(machines)?,
        })
    }

    /// What the edge costs.
    fn edge(&self, counts: &Counts) -> f64 {
        counts.requests * self.request
            + counts.object_requests * self.object_request
            + counts.rows_read * self.row_read
            + counts.rows_written * self.row_written
            + counts.active_seconds * MEMORY * self.duration
    }
}

/// What an hour costs, line by line, and for 1,000 minutes of a participant.
pub fn table(hour: &Counts, media: Media, people: u16, prices: &Prices) -> String {
    let minutes = f64::from(people) * 60.0 / 1_000.0;
    let sent = (media.bytes + media.packets * HEADERS) * 3_600.0 / 1e9;
    let core = media.cpu / USED;
    let edge = prices.edge(hour);
    let relayed = sent * RELAYED * prices.relayed;
    let mut table = format!(
        "  edge: {hour}, {:.2} GB-s: ${edge:.6}\n  node: {:.1} core-seconds, {sent:.3} GB sent\n\
         \x20 TURN for {:.0}% of them: ${relayed:.4}\n  {:<34}{:>12}{:>12}{:>12}{:>22}\n",
        hour.active_seconds * MEMORY,
        media.cpu * 3_600.0,
        RELAYED * 100.0,
        "nodes at",
        "cores, $",
        "sent, $",
        "all, $",
        "1,000 minutes each, $"
    );
    for (name, core_hour, gigabyte) in &prices.machines {
        let (cores, sent) = (core * core_hour, sent * gigabyte);
        let all = edge + relayed + cores + sent;
        // Writing to a string does not fail.
        let _ = writeln!(
            table,
            "  {name:<34}{cores:>12.4}{sent:>12.4}{all:>12.4}{:>22.3}",
            all / minutes
        );
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_each_price() {
        let prices = Prices::read(PAGE).expect("all prices");
        assert!(prices.machines.len() >= 2);
        assert!(Prices::read(&PAGE.replace("a million rows read", "rows")).is_none());
        assert!(Prices::read("").is_none());
    }

    #[test]
    fn counts_times_prices_is_what_it_costs() {
        let prices = Prices::read(PAGE).expect("all prices");
        let million = Counts {
            requests: 1e6,
            object_requests: 1e6,
            rows_read: 1e6,
            rows_written: 1e6,
            active_seconds: 1e6 / MEMORY,
            wake_ups: 9.0,
        };
        let sum = 0.30 + 0.15 + 0.001 + 1.0 + 12.50;
        assert!((prices.edge(&million) - sum).abs() < 1e-9);
        assert_eq!(prices.edge(&Counts::default()), 0.0);
    }
}
