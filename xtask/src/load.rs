//! `cargo xtask load`: starts a Connect of its own, lets people by k6 use it in stages, and prints one table.

use std::fs;
use std::io::{IsTerminal, stdout};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::Command;

use crate::build::{self, Profile};
use crate::failure::{Failure, Result};
use crate::progress::Progress;
use crate::stack::{self, Options, Runtime, Stack};
use crate::{paths, setup};

/// What k6 ends with if what was to hold did not.
const NOT_HELD: i32 = 99;

/// Who uses it, and what runs it.
pub struct Arguments {
    /// Numbers of people, separated by commas.
    pub people: String,
    /// How long they stay.
    pub seconds: u16,
    /// How many register all the time beside them.
    pub registering: u16,
    /// The port of the API.
    pub port: u16,
    /// What runs the Worker.
    pub runtime: Runtime,
    /// Whether passwords are hashed beside the Worker.
    pub hasher: bool,
    /// Where the databases are, if not in the checkout.
    pub folder: Option<PathBuf>,
}

/// Builds, starts, measures.
pub fn run(arguments: &Arguments) -> Result<()> {
    stack::check_port(arguments.port)?;
    let progress = Progress::new(build::STEPS + 1 + stack::STEPS);
    build::all(&progress, Profile::Dev)?;
    progress.step("k6", setup::install_k6)?;
    let folder = arguments.folder.clone();
    let state = folder.map_or_else(|| paths::local().join("load"), |at| at.join("connect-load"));
    // Each run starts with empty databases.
    let _ = fs::remove_dir_all(&state);
    let options = Options {
        runtime: arguments.runtime,
        hasher: arguments.hasher,
        regions: 1,
        port: arguments.port,
        media_ip: Ipv4Addr::LOCALHOST.into(),
        wan: false,
        variables: Vec::new(),
        collector: None,
        worker_state: state.join("worker"),
        state: state.clone(),
        program: build::node(Profile::Dev),
    };
    let mut stack = Stack::start(&options, &progress)?;
    println!(
        "\nStages of {} people, each {} s in a room; the load of this machine is {}",
        arguments.people,
        arguments.seconds,
        load_of_the_machine()
    );
    let mut command = Command::new(setup::k6());
    command.args(["run", "--no-usage-report"]);
    if !stdout().is_terminal() {
        command.arg("--quiet");
    }
    command
        .arg("loadtest/k6/people.js")
        .env("CONNECT_URL", stack.url())
        .env("CONNECT_STAGES", &arguments.people)
        .env("CONNECT_SECONDS", arguments.seconds.to_string())
        .env("CONNECT_REGISTERING", arguments.registering.to_string())
        .current_dir(paths::root());
    let outcome = stack.run(&mut command);
    stack.stop();
    let status = outcome?;
    println!("The load of this machine is {} now", load_of_the_machine());
    match status.code() {
        Some(0) => Ok(()),
        Some(NOT_HELD) => Err(Failure::new(
            "not every check passed, or a bound was not kept",
            "the lines above say which; beside other work on this machine the figures say little",
        )),
        _ => Err(Failure::new(
            format!("k6 ended with {status}"),
            "what it printed says why; the Worker's log is .connect/logs/worker.log",
        )),
    }
}

/// Numbers of people, separated by commas.
pub fn people(text: &str) -> std::result::Result<String, String> {
    let is_fine = |number: &str| matches!(number.parse::<u16>(), Ok(1..=500));
    match text.split(',').all(is_fine) {
        true => Ok(text.to_owned()),
        false => Err("say numbers from 1 to 500, separated by commas, e.g. 10,25".to_owned()),
    }
}

/// How many processes want a core, over one, five and fifteen minutes.
fn load_of_the_machine() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let words: Vec<&str> = text.split(' ').take(3).collect();
    match words.is_empty() {
        true => "not known".into(),
        false => words.join(" "),
    }
}
