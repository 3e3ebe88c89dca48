//! `cargo xtask`: the command line.

mod apt;
mod bench;
mod browser;
mod build;
mod command;
mod cost;
mod dependencies;
mod dev;
mod doctor;
mod failure;
mod findings;
mod fuzz;
mod guard;
mod hasher;
mod http;
mod instructions;
mod interop;
mod lan;
mod load;
mod log;
mod namespace;
mod network;
mod node;
mod output;
mod paths;
mod process;
mod progress;
mod reset;
mod secrets;
mod setup;
mod stack;
mod stamp;
mod test;
mod wan;
mod wasm;
mod worker;
mod workerd;

use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::failure::{Failure, Result};
use crate::stack::Runtime;

fn command_line() -> Command {
    Command::new("cargo xtask")
        .about("Everything a developer does with Connect")
        .after_help(
            "Logs are under .connect/logs/, accounts, rooms and chat under .wrangler/state/, tools under ~/.cache/connect/\n\
             ($XDG_CACHE_HOME). `cargo xtask reset` says what can be started afresh, and what is lost with it.",
        )
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(dev_command())
        .subcommand(
            Command::new("test")
                .about("Install what tests need, and run all of them (or some groups)")
                .arg(
                    Arg::new("only")
                        .long("only")
                        .value_name("NAME")
                        .help("Run only this group; may be given several times")
                        .action(ArgAction::Append)
                        .value_parser(test::Group::ALL.map(test::Group::name)),
                ),
        )
        .subcommand(
            Command::new("build")
                .about("Build the Worker, the web app and the media node")
                .arg(
                    Arg::new("release")
                        .long("release")
                        .help("Build the media node with all optimizations (minutes)")
                        .action(ArgAction::SetTrue),
                ),
        )
        .subcommand(bench_command())
        .subcommand(load_command())
        .subcommand(cost::command_line())
        .subcommand(fuzz_command())
        .subcommand(
            Command::new("doctor")
                .about("Say what is there, what is missing, and what to do; change nothing"),
        )
        .subcommand(reset_command())
        .subcommand(
            Command::new("guard")
                .about("End the process groups named on the input when it ends")
                .hide(true),
        )
        .subcommand(
            Command::new("within")
                .about("Run a program inside a private network")
                .arg(Arg::new("program").required(true).num_args(1..).trailing_var_arg(true).allow_hyphen_values(true))
                .hide(true),
        )
        .subcommand(
            Command::new(browser::INSIDE)
                .about("The browser tests, inside the network that `test` makes for them")
                .hide(true),
        )
}

fn dev_command() -> Command {
    Command::new("dev")
        .about("Install what is missing, build, and run Connect on this machine until Ctrl-C")
        .arg(
            Arg::new("regions")
                .long("regions")
                .value_name("N")
                .help("How many regions to run, one media node each")
                .default_value("3")
                .value_parser(value_parser!(u8).range(1..=stack::REGIONS.len() as i64)),
        )
        .arg(
            Arg::new("port")
                .long("port")
                .value_name("P")
                .help("The port of the web app and the API")
                .default_value("8787")
                .value_parser(value_parser!(u16).range(1..)),
        )
        .arg(
            Arg::new("wan")
                .long("wan")
                .help("Put the delay and the loss of real distances between the nodes")
                .action(ArgAction::SetTrue),
        )
        .arg(
            Arg::new("lan")
                .long("lan")
                .help(
                    "Let phones and other devices of the same network in: HTTPS at the next port, with a certificate that \
                     their browsers warn of",
                )
                .action(ArgAction::SetTrue),
        )
        .arg(
            Arg::new("media-ip")
                .long("media-ip")
                .value_name("IP")
                .help("The address that browsers send media to [default: this machine's own in its network]")
                .value_parser(value_parser!(IpAddr)),
        )
}

fn reset_command() -> Command {
    Command::new("reset")
        .about("Start a part of what Connect leaves here afresh: says what is lost, and asks")
        .arg(
            Arg::new("what")
                .value_name("NAME")
                .help("What to reset; without a name, everything that can be is listed")
                .num_args(0..)
                .value_parser(reset::Part::ALL.map(reset::Part::name)),
        )
        .arg(
            Arg::new("yes")
                .long("yes")
                .help("Do not ask")
                .action(ArgAction::SetTrue),
        )
}

fn bench_command() -> Command {
    Command::new("bench")
        .about("Measure the media node: CPU time per packet, packets per second and core, loss")
        .arg(
            Arg::new("shape")
                .long("shape")
                .value_name("NAME")
                .help("Measure this shape only, e.g. 5-25; may be given several times")
                .action(ArgAction::Append),
        )
        .arg(
            Arg::new("seconds")
                .long("seconds")
                .value_name("N")
                .help("How long to measure each shape")
                .default_value("10")
                .value_parser(value_parser!(u16).range(1..)),
        )
        .arg(
            Arg::new("beside")
                .long("beside")
                .value_name("SERVER")
                .help("Measure this server with the same bots, too (`apt-get install janus`)")
                .value_parser(["janus"]),
        )
}

fn load_command() -> Command {
    Command::new("load")
        .about("Let people by k6 use a Connect of its own in stages, and print how long they waited")
        .arg(
            Arg::new("people")
                .long("people")
                .value_name("N,N…")
                .help("How many people each stage has")
                .default_value("10,25,50,100")
                .value_parser(load::people),
        )
        .arg(
            Arg::new("seconds")
                .long("seconds")
                .value_name("N")
                .help("How long each of them stays in a room")
                .default_value("20")
                .value_parser(value_parser!(u16).range(5..=3_600)),
        )
        .arg(
            Arg::new("registering")
                .long("registering")
                .value_name("N")
                .help("How many register all the time beside them")
                .default_value("0")
                .value_parser(value_parser!(u16).range(0..=100)),
        )
        .arg(
            Arg::new("port")
                .long("port")
                .value_name("P")
                .help("The port of the API")
                .default_value("8787")
                .value_parser(value_parser!(u16).range(1..)),
        )
        .arg(
            Arg::new("under")
                .long("under")
                .value_name("NAME")
                .help("What runs the Worker: workerd alone, as a box of one's own does, or wrangler, as `cargo xtask dev` does")
                .default_value("workerd")
                .value_parser(["workerd", "wrangler"]),
        )
        .arg(
            Arg::new("in-place")
                .long("in-place")
                .help("Hash passwords in the Worker, without the hasher beside it")
                .action(ArgAction::SetTrue),
        )
        .arg(
            Arg::new("folder")
                .long("folder")
                .value_name("DIR")
                .help("Where to make the databases, e.g. /dev/shm to leave out what the disk takes [default: .connect]")
                .value_parser(value_parser!(PathBuf)),
        )
}

fn fuzz_command() -> Command {
    Command::new("fuzz")
        .about("Give everything that comes from outside to a fuzzer: no panic, no hang, no growth")
        .arg(
            Arg::new("target")
                .value_name("TARGET")
                .help("Fuzz this only; may be given several times [default: all of fuzz/fuzz_targets]")
                .num_args(0..),
        )
        .arg(
            Arg::new("minutes")
                .long("minutes")
                .value_name("N")
                .help("How long to fuzz each target")
                .default_value("10")
                .value_parser(value_parser!(u32).range(1..=10_000)),
        )
        .arg(
            Arg::new("keep")
                .long("keep")
                .help("Put what reaches new code into fuzz/corpus, with as few inputs as can be")
                .action(ArgAction::SetTrue),
        )
}

fn run(matches: &ArgMatches) -> Result<()> {
    match matches.subcommand() {
        Some(("dev", matches)) => dev::run(&dev::Arguments {
            regions: matches
                .get_one::<u8>("regions")
                .map_or(3, |&regions| regions.into()),
            port: matches.get_one("port").copied().unwrap_or(8787),
            wan: matches.get_flag("wan"),
            lan: matches.get_flag("lan"),
            media_ip: matches.get_one("media-ip").copied(),
        }),
        Some(("test", matches)) => {
            let names: Vec<&String> = matches.get_many("only").unwrap_or_default().collect();
            let named = |group: &test::Group| {
                names.is_empty() || names.iter().any(|name| *name == group.name())
            };
            test::run(
                &test::Group::ALL
                    .into_iter()
                    .filter(named)
                    .collect::<Vec<_>>(),
            )
        }
        Some(("bench", matches)) => bench::run(&bench::Arguments {
            shapes: matches
                .get_many("shape")
                .unwrap_or_default()
                .cloned()
                .collect(),
            seconds: matches.get_one("seconds").copied().unwrap_or(10),
            beside: matches.get_one("beside").cloned(),
        }),
        Some(("load", matches)) => load::run(&load::Arguments {
            people: matches.get_one("people").cloned().unwrap_or_default(),
            seconds: matches.get_one("seconds").copied().unwrap_or(20),
            registering: matches.get_one("registering").copied().unwrap_or(0),
            port: matches.get_one("port").copied().unwrap_or(8787),
            runtime: match matches.get_one::<String>("under").map(String::as_str) {
                Some("wrangler") => Runtime::Wrangler,
                _ => Runtime::Workerd,
            },
            hasher: !matches.get_flag("in-place"),
            folder: matches.get_one("folder").cloned(),
        }),
        Some(("cost", matches)) => cost::run(matches),
        Some(("fuzz", matches)) => fuzz::run(&fuzz::Arguments {
            targets: matches
                .get_many("target")
                .unwrap_or_default()
                .cloned()
                .collect(),
            minutes: matches.get_one("minutes").copied().unwrap_or(10),
            keep: matches.get_flag("keep"),
        }),
        Some(("doctor", _)) => doctor::run(),
        Some(("reset", matches)) => {
            let names: Vec<&String> = matches.get_many("what").unwrap_or_default().collect();
            let named = |part: &reset::Part| names.iter().any(|name| *name == part.name());
            let parts: Vec<_> = reset::Part::ALL.into_iter().filter(named).collect();
            reset::run(&parts, matches.get_flag("yes"))
        }
        Some(("build", matches)) => build::run(matches.get_flag("release")),
        Some(("within", matches)) => {
            let words: Vec<&String> = matches.get_many("program").unwrap_or_default().collect();
            namespace::run(&words)
        }
        Some((browser::INSIDE, _)) => browser::run_inside(),
        _ => Ok(()),
    }
}

fn main() -> ExitCode {
    let matches = command_line().get_matches();
    if matches.subcommand_name() == Some("guard") {
        guard::run();
        return ExitCode::SUCCESS;
    }
    // What asks leaves signals alone: Ctrl-C is an answer.
    let outcome = match matches.subcommand_name() {
        Some("doctor" | "reset") => run(&matches),
        _ => process::supervise().and_then(|()| run(&matches)),
    };
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
