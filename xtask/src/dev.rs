//! `cargo xtask dev`: set up, build, run until Ctrl-C.

use std::net::IpAddr;
use std::time::Instant;

use crate::build::{self, Profile};
use crate::failure::{Failure, Result};
use crate::progress::Progress;
use crate::stack::{self, Options, Stack};
use crate::{paths, process};

/// What to run, and where.
pub struct Arguments {
    /// How many regions, one media node each.
    pub regions: usize,
    /// The port of the web app and the API.
    pub port: u16,
    /// Whether there is distance between the nodes.
    pub wan: bool,
    /// The address that browsers send media to.
    pub media_ip: IpAddr,
}

/// Runs Connect on this machine.
pub fn run(arguments: &Arguments) -> Result<()> {
    let started = Instant::now();
    stack::check_port(arguments.port)?;
    let progress = Progress::new(build::STEPS + stack::STEPS);
    build::all(&progress, Profile::Dev)?;
    let options = Options {
        regions: arguments.regions,
        port: arguments.port,
        media_ip: arguments.media_ip,
        wan: arguments.wan,
        variables: Vec::new(),
        worker_state: paths::root().join(".wrangler/state"),
        state: paths::local(),
        program: build::node(Profile::Dev),
    };
    let mut stack = Stack::start(&options, &progress)?;
    println!();
    for node in stack.describe() {
        println!("  {node}");
    }
    if arguments.wan {
        println!("  Between the regions: the delay and a little of the loss of real distances");
    }
    println!(
        "  Started in {:.1} s; logs are in .connect/logs/; Ctrl-C ends everything\n",
        started.elapsed().as_secs_f32()
    );
    println!("Connect is ready: {}", stack.url());
    let end = loop {
        match stack.tend() {
            Ok(()) => process::tick(),
            Err(end) => break end,
        }
    };
    stack.stop();
    match end {
        // The only way that a run is meant to end.
        Failure::Interrupted => {
            println!("\nStopped.");
            Ok(())
        }
        failure => Err(failure),
    }
}
