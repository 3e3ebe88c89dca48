//! `loadtest bench`: the shapes one after the other, on a node of ours and beside it on another server, and what came of it.

use std::fs::OpenOptions;
use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use loadtest::bench::Bench;
use loadtest::node::Figures;
use loadtest::report::Report;
use loadtest::sealing::Price;
use loadtest::shape::{GROWN, SHAPES, SMALL, Shape};
use serde_json::{Value, json};

use crate::display::Display;
use crate::{Failure, interrupted};

/// The flags of `loadtest bench`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The node's program, built with --release
    #[arg(long)]
    node: PathBuf,
    /// Measure this shape only; may be given several times
    #[arg(long, value_parser = SHAPES.map(|shape| shape.name))]
    shape: Vec<String>,
    /// How long to measure each shape
    #[arg(long, default_value = "10", value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Measure this server with the same bots, too; it needs --bind with an address that is not loopback
    #[arg(long)]
    beside: Option<Other>,
    /// The address of everybody's media
    #[arg(long, default_value = "127.0.0.1")]
    bind: IpAddr,
    /// Append a line of JSON per shape and server to this file
    #[arg(long)]
    history: Option<PathBuf>,
    /// The commit that is measured, for the history
    #[arg(long, default_value = "")]
    commit: String,
    /// The time of the measurement, for the history
    #[arg(long, default_value = "")]
    date: String,
}

/// A server to compare with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Other {
    /// The VideoRoom of Janus as it is installed (`apt-get install janus`)
    Janus,
}

/// Measures; returns whether everybody joined and stayed.
pub async fn run(arguments: &Arguments) -> Result<bool, Failure> {
    let chosen = |shape: &&Shape| {
        arguments.shape.is_empty() || arguments.shape.iter().any(|name| name == shape.name)
    };
    let sealing = Price::measure().map_err(|_| "the cipher of SRTP refuses to work")?;
    let (mut own, mut other) = (Vec::new(), Vec::new());
    for shape in SHAPES.iter().filter(chosen) {
        own.push(measure(arguments, shape, None, sealing).await?);
        if arguments.beside.is_some() && shape.is_for_others() {
            other.push(measure(arguments, shape, arguments.beside, sealing).await?);
        }
    }
    print_summary(&own, &other, sealing);
    Ok(own.iter().all(Report::all_joined))
}

async fn measure(
    arguments: &Arguments,
    shape: &Shape,
    other: Option<Other>,
    sealing: Price,
) -> Result<Report, Failure> {
    let bench = Bench {
        shape,
        ip: arguments.bind,
        measured: Duration::from_secs(arguments.seconds),
    };
    let mut display = Display::new(shape.name);
    let show = |progress| display.progress(progress);
    let report = match other {
        None => bench.run(&arguments.node, interrupted(), show).await?,
        Some(Other::Janus) => bench.run_janus(interrupted(), show).await?,
    };
    display.end();
    println!("{report}");
    if let Some(path) = &arguments.history {
        let line = json!({
            "date": arguments.date,
            "commit": arguments.commit,
            "server": other.map_or("connect", |Other::Janus| "janus"),
            "shape": shape.name,
            "figures": report,
            "sealingShare": report.nodes.first().and_then(|node| sealing_share(node, sealing)),
        });
        append(path, &line).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    Ok(report)
}

fn append(path: &Path, line: &Value) -> std::io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    writeln!(file, "{line}")
}

/// The price of a packet.
fn price(report: &Report) -> Option<f64> {
    report.nodes.first()?.microseconds_per_packet
}

/// Share of the CPU time that sealing takes, at the price that it has in a loop; for a server that counts what it sends.
fn sealing_share(node: &Figures, price: Price) -> Option<f64> {
    let cpu = Duration::from_micros(node.cpu_microseconds).as_secs_f64();
    let counts = node.bytes_out > 0 && cpu > 0.0;
    counts.then(|| price.of(node.packets_out, node.bytes_out).as_secs_f64() / cpu)
}

fn print_summary(own: &[Report], other: &[Report], sealing: Price) {
    println!(
        "{:<14}{:<10}{:>12}{:>12}{:>14}{:>10}{:>10}{:>10}{:>14}{:>12}{:>12}",
        "shape",
        "server",
        "packets/s",
        "µs/packet",
        "/s per core",
        "system, %",
        "SRTP, %",
        "loss, %",
        "estimate, k",
        "delay, ms",
        "hop, ms"
    );
    println!("(delay and hop: p50/p95; the delay is from bot to bot, with their own waiting)");
    for report in own.iter().chain(other) {
        for node in &report.nodes {
            println!(
                "{:<14}{:<10}{:>12.0}{:>12.2}{:>14.0}{:>10.0}{:>10}{:>10.3}{:>14}{:>12}{:>12}",
                report.scenario,
                node.node,
                node.packets_per_second,
                node.microseconds_per_packet.unwrap_or_default(),
                node.packets_per_core_second.unwrap_or_default(),
                node.system_share.unwrap_or_default() * 100.0,
                sealing_share(node, sealing)
                    .map_or("-".into(), |share| format!("{:.0}", share * 100.0)),
                report.video.loss_percent.max(report.audio.loss_percent),
                report
                    .estimate_p50
                    .map_or("-".into(), |estimate| format!("{:.0}", estimate / 1_000.0)),
                two(report.delay_p50_ms.zip(report.delay_p95_ms)),
                two(report.hop.map(|hop| (hop.p50_ms, hop.p95_ms))),
            );
        }
    }
    print_comparison(own, other);
    print_growth(own);
}

/// The median and the 95th percentile.
fn two(quantiles: Option<(f64, f64)>) -> String {
    quantiles.map_or("-".into(), |(p50, p95)| format!("{p50:.1}/{p95:.1}"))
}

fn print_comparison(own: &[Report], other: &[Report]) {
    for report in other {
        let same = own.iter().find(|own| own.scenario == report.scenario);
        if let (Some(theirs), Some(ours)) = (price(report), same.and_then(price)) {
            let name = report.nodes.first().map_or("", |node| &node.node);
            println!(
                "{}: {name} takes {:.1} times the CPU per packet",
                report.scenario,
                theirs / ours
            );
        }
    }
    if !other.is_empty() {
        println!(
            "(packets differ: a room of ours forwards the sound of five people at most, the other server everybody's)"
        );
    }
}

fn print_growth(own: &[Report]) {
    let of = |name| {
        let report = own.iter().find(|report| report.scenario == name);
        report.and_then(price)
    };
    let Some(grown) = of(GROWN) else {
        return;
    };
    for name in SMALL {
        if let Some(small) = of(name) {
            let ratio = grown / small;
            println!("growth: in {GROWN} a packet costs {ratio:.2} times what it does in {name}");
        }
    }
}
