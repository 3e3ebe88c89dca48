//! `loadtest`: the command line, the progress display and the exit codes.

use std::fs::OpenOptions;
use std::io::{IsTerminal, Write, stderr};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Args, Parser, Subcommand};
use loadtest::bench::{self, SHAPES, Shape};
use loadtest::crew::{self, Progress, Timing, Workers};
use loadtest::edge::Edge;
use loadtest::node::{Node, Stack};
use loadtest::report::Report;
use loadtest::scenario::{self, Scenario};
use protocol::id::Region;
use serde_json::{Value, json};

/// Where `cargo xtask dev` says what runs.
const STACK: &str = ".connect/stack.json";
/// How often a line of progress is shown where lines cannot be rewritten.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);

/// Bots over real ICE, DTLS and SRTP.
#[derive(Debug, Parser)]
#[command(
    name = "loadtest",
    after_help = "Exit code 0: everybody joined and stayed; 1: somebody did not; 2: the command line does not do."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Ten people speak, all others listen
    Audio(ScenarioArguments),
    /// Everybody sends and watches up to nine others
    Meeting(ScenarioArguments),
    /// One person sends, all others watch
    Livestream(ScenarioArguments),
    /// A meeting spread over regions, in turn
    Regions(ScenarioArguments),
    /// Measure one node alone, without an edge (`cargo xtask bench` builds it and calls this)
    Bench(BenchArguments),
}

#[derive(Debug, Args)]
struct ScenarioArguments {
    /// How many people
    #[arg(long, default_value = "10", value_parser = clap::value_parser!(u32).range(1..=5_000))]
    people: u32,
    /// How long to measure once everybody is in
    #[arg(long, default_value = "20", value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Over how many seconds people come in
    #[arg(long, default_value = "5")]
    ramp: u64,
    /// Where Connect runs [default: what .connect/stack.json says, else http://localhost:8787]
    #[arg(long, env = "CONNECT_EDGE")]
    edge: Option<String>,
    /// Metrics pages of the nodes [default: those of .connect/stack.json]
    #[arg(long, num_args = 1..)]
    metrics: Vec<String>,
    /// Regions that people ask for, in turn [default: none; for `regions` those of .connect/stack.json]
    #[arg(long, value_delimiter = ',')]
    regions: Vec<Region>,
    /// Size in pixels of every video watched, e.g. 320x180 [default: one large, others small]
    #[arg(long, value_parser = size)]
    tile: Option<(u16, u16)>,
    /// Local address for media [default: the one that reaches the edge]
    #[arg(long)]
    bind: Option<IpAddr>,
    /// Threads for the bots [default: one per core]
    #[arg(long)]
    threads: Option<usize>,
    /// Write the report here, as JSON
    #[arg(long)]
    json: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct BenchArguments {
    /// The node's program, built with --release
    #[arg(long)]
    node: PathBuf,
    /// Measure this shape only; may be given several times
    #[arg(long, value_parser = SHAPES.map(|shape| shape.name))]
    shape: Vec<String>,
    /// How long to measure each shape
    #[arg(long, default_value = "10", value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Append a line of JSON per shape to this file
    #[arg(long)]
    history: Option<PathBuf>,
    /// The commit that is measured, for the history
    #[arg(long, default_value = "")]
    commit: String,
    /// The time of the measurement, for the history
    #[arg(long, default_value = "")]
    date: String,
}

/// Reads a width and a height.
fn size(text: &str) -> Result<(u16, u16), String> {
    let parsed = text.split_once('x').and_then(|(width, height)| {
        let width = width.parse().ok()?;
        Some((width, height.parse().ok()?))
    });
    parsed.ok_or_else(|| format!("{text:?} is no size, as 320x180 is"))
}

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let outcome = runtime
        .map_err(Failure::from)
        .and_then(|runtime| runtime.block_on(run(arguments.command)));
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("\nerror: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<bool, Failure> {
    match command {
        Command::Audio(arguments) => run_scenario(Scenario::Audio, arguments).await,
        Command::Meeting(arguments) => run_scenario(Scenario::Meeting, arguments).await,
        Command::Livestream(arguments) => run_scenario(Scenario::Livestream, arguments).await,
        Command::Regions(arguments) => run_scenario(Scenario::Regions, arguments).await,
        Command::Bench(arguments) => run_bench(arguments).await,
    }
}

async fn run_scenario(scenario: Scenario, arguments: ScenarioArguments) -> Result<bool, Failure> {
    let stack = Stack::read(Path::new(STACK))?;
    let stack_url = stack.as_ref().map(|stack| stack.url.clone());
    let base = arguments
        .edge
        .or(stack_url.clone())
        .unwrap_or_else(|| "http://localhost:8787".into());
    // Another Connect than the one that runs here has other nodes.
    let local = stack.filter(|_| Some(&base) == stack_url.as_ref());
    let nodes = match arguments.metrics.is_empty() {
        true => local.map_or_else(Vec::new, |stack| stack.nodes),
        false => arguments.metrics.into_iter().map(by_address).collect(),
    };
    let mut regions = arguments.regions;
    if regions.is_empty() && scenario == Scenario::Regions {
        for node in &nodes {
            regions.push(node.region.parse()?);
        }
    }
    let people = arguments.people as usize;
    let ip = arguments.bind.unwrap_or_else(|| scenario::local_ip(&base));
    let edge = Arc::new(Edge::new(&base)?);
    let mut display = Display::new(scenario.name());
    let tokens = scenario::register(&edge, people, |made| {
        display.show(&format!("accounts {made} of {people}"));
    })
    .await?;
    let room = edge
        .create_room(&tokens[0], &format!("Load test: {}", scenario.name()))
        .await?;
    let plans = scenario::plans(scenario, people, &regions, ip, arguments.tile);
    let crew = scenario::doors(&edge, &room, tokens, plans);
    let timing = Timing {
        ramp: Duration::from_secs(arguments.ramp),
        measured: Duration::from_secs(arguments.seconds),
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let workers = Workers::start(arguments.threads.unwrap_or(cores))?;
    let raw = crew::run(crew, &nodes, timing, &workers, interrupted(), |progress| {
        display.progress(progress);
    })
    .await?;
    display.end();
    let report = Report::of(scenario.name(), &raw);
    println!("{report}");
    if let Some(path) = arguments.json {
        let text = serde_json::to_string_pretty(&report)?;
        std::fs::write(&path, text + "\n")
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    Ok(report.all_joined())
}

async fn run_bench(arguments: BenchArguments) -> Result<bool, Failure> {
    let chosen = |shape: &&Shape| {
        arguments.shape.is_empty() || arguments.shape.iter().any(|name| name == shape.name)
    };
    let mut reports = Vec::new();
    for shape in SHAPES.iter().filter(chosen) {
        let mut display = Display::new(shape.name);
        let measured = Duration::from_secs(arguments.seconds);
        let report = bench::run(
            &arguments.node,
            shape,
            measured,
            interrupted(),
            |progress| {
                display.progress(progress);
            },
        )
        .await?;
        display.end();
        println!("{report}");
        if let Some(path) = &arguments.history {
            let line = json!({
                "date": arguments.date,
                "commit": arguments.commit,
                "shape": shape.name,
                "figures": report,
            });
            append(path, &line)
                .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        }
        reports.push(report);
    }
    print_summary(&reports);
    Ok(reports.iter().all(Report::all_joined))
}

fn append(path: &Path, line: &Value) -> std::io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    writeln!(file, "{line}")
}

fn print_summary(reports: &[Report]) {
    println!(
        "{:<14}{:>12}{:>12}{:>14}{:>10}{:>10}{:>10}",
        "shape", "packets/s", "µs/packet", "/s per core", "system, %", "loss, %", "full"
    );
    for report in reports {
        for node in &report.nodes {
            println!(
                "{:<14}{:>12.0}{:>12.2}{:>14.0}{:>10.0}{:>10.3}{:>10}",
                report.scenario,
                node.packets_per_second,
                node.microseconds_per_packet.unwrap_or_default(),
                node.packets_per_core_second.unwrap_or_default(),
                node.system_share.unwrap_or_default() * 100.0,
                report.video.loss_percent.max(report.audio.loss_percent),
                node.full,
            );
        }
    }
}

fn by_address(metrics: String) -> Node {
    Node {
        id: metrics
            .trim_start_matches("http://")
            .trim_end_matches("/metrics")
            .to_owned(),
        region: String::new(),
        pid: None,
        metrics,
    }
}

/// Resolves at Ctrl-C: the run ends and reports what it has. A second one ends the process.
async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// One line that says how far a run is.
struct Display {
    name: &'static str,
    rewrite: bool,
    shown: Option<Instant>,
}

impl Display {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            rewrite: stderr().is_terminal(),
            shown: None,
        }
    }

    fn progress(&mut self, progress: Progress) {
        match progress {
            Progress::Joining { connected, people } => {
                self.show(&format!("{connected} of {people} people have media"));
            }
            Progress::Measuring { passed, of } => {
                self.show(&format!(
                    "measuring, {} of {} s",
                    passed.as_secs(),
                    of.as_secs()
                ));
            }
        }
    }

    fn show(&mut self, text: &str) {
        if self.rewrite {
            eprint!("\r\x1b[K{}: {text}", self.name);
        } else if self.shown.is_none_or(|at| at.elapsed() >= SIGN_OF_LIFE) {
            self.shown = Some(Instant::now());
            eprintln!("{}: {text}", self.name);
        }
    }

    fn end(&self) {
        if self.rewrite {
            eprint!("\r\x1b[K");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_understood() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
        let parsed = Arguments::try_parse_from([
            "loadtest",
            "regions",
            "--people",
            "6",
            "--regions",
            "eu-west,us-east",
            "--edge",
            "http://localhost:1",
            "--tile",
            "320x180",
        ]);
        let Command::Regions(arguments) = parsed.unwrap().command else {
            panic!("another scenario");
        };
        assert_eq!((arguments.people, arguments.regions.len()), (6, 2));
        assert_eq!(arguments.tile, Some((320, 180)));
        assert_eq!((arguments.seconds, arguments.ramp), (20, 5));
        for bad in [
            &["loadtest"][..],
            &["loadtest", "meeting", "--people", "0"],
            &["loadtest", "meeting", "--tile", "320"],
            &["loadtest", "bench", "--node", "x", "--shape", "nine"],
            &["loadtest", "bench"],
        ] {
            assert!(Arguments::try_parse_from(bad).is_err(), "{bad:?} passed");
        }
    }
}
