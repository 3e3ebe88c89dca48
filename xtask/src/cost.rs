//! `cargo xtask cost`: what a call costs. Bots over real WebRTC meet in a Connect of its own, whose Worker stands behind a meter of all that the
//! platform bills; two lengths of the same call tell what depends on time from what does not.

mod count;
mod price;

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clap::{Arg, ArgMatches, value_parser};

use crate::build::{self, Profile};
use crate::failure::{Failure, Result};
use crate::paths;
use crate::process;
use crate::progress::{Outcome, Progress};
use crate::stack::{self, Options, Runtime, Stack};
use count::{Counts, Media};
use price::Prices;

/// How long a call's last events may take: who has left is forgotten after half a minute, and that is not to count for the next call.
const REST: Duration = Duration::from_secs(45);

/// The command line.
pub fn command_line() -> clap::Command {
    let number = |name: &'static str, help: &'static str, default: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name("N")
            .help(help)
            .default_value(default)
            .value_parser(value_parser!(u16).range(1..=3_600))
    };
    clap::Command::new("cost")
        .about("Let bots meet in a Connect of its own, count all that is billed, and print what it costs")
        .arg(
            Arg::new("people")
                .long("people")
                .value_name("N")
                .help("How many meet; may be given several times [default: 2, 5 and 50]")
                .action(clap::ArgAction::Append)
                .value_parser(value_parser!(u16).range(2..=200)),
        )
        .arg(number("seconds", "How long the shorter call lasts; the longer one lasts four times that", "20"))
        .arg(number("idle", "How long the rooms are left alone at the end, in seconds", "60"))
        .arg(
            Arg::new("port")
                .long("port")
                .value_name("P")
                .help("The port of the API")
                .default_value("8787")
                .value_parser(value_parser!(u16).range(1..)),
        )
}

/// Builds, starts, lets people meet, prints.
pub fn run(matches: &ArgMatches) -> Result<()> {
    let named = |name: &str| matches.get_one::<u16>(name).copied().unwrap_or(20);
    let mut people: Vec<u16> = matches
        .get_many("people")
        .unwrap_or_default()
        .copied()
        .collect();
    if people.is_empty() {
        people = vec![2, 5, 50];
    }
    let prices = Prices::of_the_docs()?;
    let progress = Progress::new(build::STEPS + 1 + stack::STEPS);
    build::all(&progress, Profile::Release)?;
    progress.step("Building the bots", |step| {
        build::cargo_build(step, &["loadtest"], Profile::Release, "bots-build")?;
        Ok(Outcome::Done)
    })?;
    let state = paths::local().join("cost");
    // Each run starts with empty databases.
    let _ = fs::remove_dir_all(&state);
    let options = Options {
        runtime: Runtime::Metered,
        hasher: true,
        regions: 1,
        port: named("port"),
        media_ip: Ipv4Addr::LOCALHOST.into(),
        wan: false,
        variables: Vec::new(),
        collector: None,
        worker_state: state.join("worker"),
        state: state.clone(),
        program: build::node(Profile::Release),
    };
    let mut stack = Stack::start(&options, &progress)?;
    let outcome = measure(
        &mut stack,
        &state,
        &people,
        named("seconds"),
        named("idle"),
        &prices,
    );
    stack.stop();
    outcome
}

fn measure(
    stack: &mut Stack,
    state: &Path,
    people: &[u16],
    seconds: u16,
    idle: u16,
    prices: &Prices,
) -> Result<()> {
    for &people in people {
        let short = meet(stack, state, people, seconds)?;
        let long = meet(stack, state, people, 4 * seconds)?;
        let hour = Counts::hour(&short.0, &long.0, f64::from(3 * seconds));
        println!(
            "\nA call of {people}, an hour: what does not depend on time (accounts, room, joining, leaving), and 60 minutes"
        );
        println!("{}", price::table(&hour, long.1, people, prices));
    }
    println!("Leaving the rooms alone for {idle} s");
    let from = log_length();
    rest(stack, Duration::from_secs(idle.into()))?;
    let left = Counts::of(&log_from(from));
    println!("Idle for {idle} s: {left}");
    Ok(())
}

/// Lets bots meet once; what was counted meanwhile, of edge and node.
fn meet(stack: &mut Stack, state: &Path, people: u16, seconds: u16) -> Result<(Counts, Media)> {
    println!("{people} people meet for {seconds} s …");
    let from = log_length();
    let report = state.join("report.json");
    let _ = fs::remove_file(&report);
    let nodes = fs::read_to_string(stack.file()).unwrap_or_default();
    let metrics = nodes
        .split("\"metrics\":\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    let mut command = Command::new(build::program("loadtest", Profile::Release));
    command
        .arg("meeting")
        .args([
            "--people",
            &people.to_string(),
            "--seconds",
            &seconds.to_string(),
        ])
        .args(["--tile", "640x360", "--edge", stack.url()])
        .args(["--metrics", metrics.unwrap_or_default(), "--json"])
        .arg(&report)
        .stdout(Stdio::null())
        .current_dir(paths::root());
    let status = stack.run(&mut command)?;
    rest(stack, REST)?;
    let text = fs::read_to_string(&report).unwrap_or_default();
    let media = Media::of(&text).filter(|_| status.success());
    let media = media.ok_or_else(|| {
        Failure::new(
            "not everybody joined and stayed",
            "`cargo run --release -p loadtest -- meeting` says why",
        )
    })?;
    let counts = Counts::of(&log_from(from));
    if !counts.is_plausible(people) {
        return Err(Failure::new(
            format!("the meter told of less than joins take: {counts}"),
            "the end of .connect/logs/worker.log says why",
        ));
    }
    Ok((counts, media))
}

fn rest(stack: &mut Stack, time: Duration) -> Result<()> {
    let until = Instant::now() + time;
    while Instant::now() < until {
        stack.tend()?;
        process::tick();
    }
    Ok(())
}

fn log_length() -> usize {
    fs::read(paths::log("worker")).map_or(0, |log| log.len())
}

fn log_from(from: usize) -> String {
    let log = fs::read(paths::log("worker")).unwrap_or_default();
    String::from_utf8_lossy(log.get(from..).unwrap_or_default()).into_owned()
}
