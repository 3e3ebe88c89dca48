//! `loadtest`: the command line, the progress display and the exit codes.

mod bench_command;
mod display;

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use loadtest::crew::{self, Timing, Workers};
use loadtest::edge::{Edge, EdgeDoor};
use loadtest::node::{Node, Stack};
use loadtest::plan::Plan;
use loadtest::report::Report;
use loadtest::scenario::{self, Scenario};
use loadtest::{accounts, socket};
use protocol::id::Region;

use crate::display::Display;

/// Where `cargo xtask dev` says what runs.
const STACK: &str = ".connect/stack.json";

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
    /// One person sends in a webinar, all others are its viewers
    Webinar(ScenarioArguments),
    /// A meeting spread over regions, in turn
    Regions(ScenarioArguments),
    /// Measure one node alone, without an edge (`cargo xtask bench` builds it and calls this)
    Bench(bench_command::Arguments),
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
        Command::Webinar(arguments) => run_scenario(Scenario::Webinar, arguments).await,
        Command::Regions(arguments) => run_scenario(Scenario::Regions, arguments).await,
        Command::Bench(arguments) => bench_command::run(&arguments).await,
    }
}

async fn run_scenario(scenario: Scenario, arguments: ScenarioArguments) -> Result<bool, Failure> {
    let target = Target::choose(scenario, &arguments)?;
    let edge = Arc::new(Edge::new(&target.base)?);
    let mut display = Display::new(scenario.name());
    let crew = crew_of(scenario, &arguments, &target, &edge, &mut display).await?;
    let timing = Timing {
        ramp: Duration::from_secs(arguments.ramp),
        measured: Duration::from_secs(arguments.seconds),
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let workers = Workers::start(arguments.threads.unwrap_or(cores))?;
    let show = |progress| display.progress(progress);
    let raw = crew::run(crew, &target.nodes, timing, &workers, interrupted(), show).await?;
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

/// What a scenario runs against.
struct Target {
    /// The address of the edge.
    base: String,
    nodes: Vec<Node>,
    /// Regions that people ask for, in turn.
    regions: Vec<Region>,
}

impl Target {
    /// What the command line names, else what runs from this checkout.
    fn choose(scenario: Scenario, arguments: &ScenarioArguments) -> Result<Self, Failure> {
        let stack = Stack::read(Path::new(STACK))?;
        let stack_url = stack.as_ref().map(|stack| stack.url.clone());
        let base = arguments
            .edge
            .clone()
            .or(stack_url.clone())
            .unwrap_or_else(|| "http://localhost:8787".into());
        // Another Connect than the one that runs here has other nodes.
        let local = stack.filter(|_| Some(&base) == stack_url.as_ref());
        let nodes = match &arguments.metrics[..] {
            [] => local.map_or_else(Vec::new, |stack| stack.nodes),
            named => named.iter().cloned().map(by_address).collect(),
        };
        let mut regions = arguments.regions.clone();
        if regions.is_empty() && scenario == Scenario::Regions {
            for node in &nodes {
                regions.push(node.region.parse()?);
            }
        }
        Ok(Self {
            base,
            nodes,
            regions,
        })
    }
}

/// Makes accounts and a room for a scenario; returns who comes, and by which door.
async fn crew_of(
    scenario: Scenario,
    arguments: &ScenarioArguments,
    target: &Target,
    edge: &Arc<Edge>,
    display: &mut Display,
) -> Result<Vec<(Plan, EdgeDoor)>, Failure> {
    let people = arguments.people as usize;
    let tokens = accounts::register(edge, people, |made| {
        display.show(&format!("accounts {made} of {people}"));
    })
    .await?;
    let name = format!("Load test: {}", scenario.name());
    let room = edge.create_room(&tokens[0], &name, scenario.kind()).await?;
    let ip = arguments
        .bind
        .unwrap_or_else(|| socket::local_ip(&target.base));
    let plans = scenario::plans(scenario, people, &target.regions, ip, arguments.tile);
    Ok(scenario::doors(edge, &room, tokens, plans))
}

fn by_address(metrics: String) -> Node {
    Node {
        id: metrics
            .trim_start_matches("http://")
            .trim_end_matches("/metrics")
            .to_owned(),
        region: String::new(),
        pid: None,
        metrics: Some(metrics),
    }
}

/// Resolves at Ctrl-C: the run ends and reports what it has. A second one ends the process.
async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
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
            &["loadtest", "bench", "--node", "x", "--beside", "nobody"],
            &["loadtest", "bench"],
        ] {
            assert!(Arguments::try_parse_from(bad).is_err(), "{bad:?} passed");
        }
    }
}
