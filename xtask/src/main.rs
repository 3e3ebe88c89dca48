//! `cargo xtask`: the command line.

mod build;
mod dev;
mod failure;
mod guard;
mod http;
mod namespace;
mod node;
mod paths;
mod process;
mod progress;
mod secrets;
mod setup;
mod stack;
mod stamp;
mod test;
mod wan;
mod wasm;

use std::net::IpAddr;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::failure::Failure;

/// Everything a developer does with Connect.
#[derive(Parser)]
#[command(
    name = "cargo xtask",
    version,
    after_help = "Logs are under .connect/logs/, state under .wrangler/ and .connect/, tools under \
                  ~/.cache/connect/ ($XDG_CACHE_HOME). Delete any of them to start afresh."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install what is missing, build, and run Connect on this machine until Ctrl-C.
    Dev(DevArguments),
    /// Install what tests need, and run all of them (or one group).
    Test {
        /// Run only this group; may be given several times.
        #[arg(long, value_name = "NAME")]
        only: Vec<test::Group>,
    },
    /// Build the Worker, the web app and the media node.
    Build {
        /// Build the media node with all optimizations (minutes).
        #[arg(long)]
        release: bool,
    },
    /// Ends the process groups named on its input when that input ends.
    #[command(hide = true)]
    Guard,
    /// The browser tests, inside the network that `test` makes for them.
    #[command(hide = true)]
    BrowserTests,
}

/// What `dev` runs, and where.
#[derive(clap::Args)]
struct DevArguments {
    /// How many regions to run, one media node each.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=stack::REGIONS.len() as i64))]
    regions: u8,
    /// The port of the web app and the API.
    #[arg(long, default_value_t = 8787)]
    port: u16,
    /// Put the delay and the loss of real distances between the nodes.
    #[arg(long)]
    wan: bool,
    /// The address that browsers send media to. To call from other devices: this machine's address in the network.
    #[arg(long, default_value = "127.0.0.1", value_name = "IP")]
    media_ip: IpAddr,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if matches!(arguments.command, Command::Guard) {
        guard::run();
        return ExitCode::SUCCESS;
    }
    let outcome = process::supervise().and_then(|()| match arguments.command {
        Command::Dev(arguments) => dev::run(&arguments),
        Command::Test { only } => test::run(&only),
        Command::Build { release } => build::run(release),
        Command::BrowserTests => test::browser_tests(),
        Command::Guard => Ok(()),
    });
    process::stop_all();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Interrupted) => ExitCode::from(130),
        Err(failure) => {
            eprintln!("\nerror: {failure}");
            ExitCode::FAILURE
        }
    }
}
